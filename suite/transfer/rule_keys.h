// SPDX-License-Identifier: MIT
// The keys of transfer sets by rules, once for all who take them: flags of `augment`, keys of
// [transfer]. A new one is a member of what it belongs to and a row of rule_keys().
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "suite/transfer/settings_key.h"
#include "suite/transfer/source_rows.h"
#include "suite/transfer/tagger_source.h"

namespace kdbench {

// Rules, and where parts of speech come from.
struct RuleSettings {
  TransferOptions set;
  TaggerSource tagger;
};

using RuleKey = SettingsKey<RuleSettings>;

const std::vector<RuleKey>& rule_keys();

// What the set depends on beside its rows, for records and keys of stages: the iterations that hold
// for these rows, of single texts nothing about sides; without the tagger.
nlohmann::json rules_json(const TransferOptions& options, bool pair);

}  // namespace kdbench
