// SPDX-License-Identifier: MIT
// The keys of transfer sets by rules, once for all who take them: flags of `augment`, keys of
// [transfer]. A new one is a member of what it belongs to and a row of rule_keys().
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "methods/options/options.h"
#include "suite/transfer/source_rows.h"
#include "suite/transfer/tagger_source.h"

namespace kdbench {

// Rules, and where parts of speech come from.
struct RuleSettings {
  TransferOptions set;
  TaggerSource tagger;
};

struct RuleKey {
  template <typename T>
  using Member = T& (*)(RuleSettings&);

  OptionSpec spec;  // its fallback is the default of RuleSettings
  std::variant<Member<bool>, Member<int64_t>, Member<double>, Member<std::vector<int64_t>>,
               Member<std::filesystem::path>, Member<std::vector<std::filesystem::path>>>
      member;
};

const std::vector<RuleKey>& rule_keys();

// Puts values, of the specs' names and types, into `settings`; others stay.
void overlay(const std::map<std::string, OptionValue>& values, RuleSettings& settings);

// What the set depends on beside its rows, for records and keys of stages: the iterations that hold
// for these rows, of single texts nothing about sides; without the tagger.
nlohmann::json rules_json(const TransferOptions& options, bool pair);

}  // namespace kdbench
