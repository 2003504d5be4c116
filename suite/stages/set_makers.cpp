// SPDX-License-Identifier: MIT
#include "suite/stages/set_makers.h"

#include <map>
#include <string>

#include "suite/stages/runs/sample_set_maker.h"

namespace kdbench {

SetMaker set_maker(StageContext& context, const Task& task, const std::string& kind) {
  static const std::map<std::string, SetMaker (*)(StageContext&, const Task&)> makers{
      {transfer_kind::kRules, rule_set_maker},
      {transfer_kind::kFile, file_set_maker},
      {transfer_kind::kLanguageModel, sample_set_maker},
  };
  return makers.at(kind)(context, task);
}

}  // namespace kdbench
