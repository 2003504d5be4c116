// SPDX-License-Identifier: MIT
#include "suite/stages/set_makers.h"

#include <map>
#include <string>

namespace kdbench {

SetMaker set_maker(const StageContext& context, const Task& task) {
  static const std::map<std::string, SetMaker (*)(const StageContext&, const Task&)> makers{
      {"rules", rule_set_maker},
      {"file", file_set_maker},
  };
  return makers.at(context.experiment.transfer->kind)(context, task);
}

}  // namespace kdbench
