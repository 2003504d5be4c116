// SPDX-License-Identifier: MIT
// A whole transfer set by rules: a file's rows cut, tagged, varied and written.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "io/tasks/glue.h"
#include "suite/transfer/rule_keys.h"
#include "suite/transfer/transfer_set.h"

namespace kdbench {

// What came of it.
struct RuleSet {
  TransferCounts counts;
  int64_t left_out = 0;         // rows whose cells are missing
  bool tagged = false;          // by a tagger
  std::string tagger;           // for the user: what tags the words
  int64_t tags = 0, words = 0;  // of the dictionary
};

// Writes to `path` as write_transfer_set. `rows` are given back once each rank has its own as
// words. Collective; throws user errors about the tagger.
RuleSet write_rule_set(GlueFile rows, bool pair, const RuleSettings& settings,
                       const FileLayout& layout, const std::filesystem::path& path,
                       const Control& control);

// For records, with the counts of sides for pairs.
nlohmann::json to_json(const RuleSet& set, bool pair);

}  // namespace kdbench
