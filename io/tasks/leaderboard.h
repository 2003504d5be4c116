// SPDX-License-Identifier: MIT
// The files that GLUE's leaderboard takes: their names, rows and values, made from prediction
// files. One table (leaderboard.cpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/tasks/task.h"

namespace kdbench {

struct LeaderboardFile {
  std::string name;  // "MNLI-mm.tsv"
  std::string task;  // whose model predicts it
  std::string split;
  int64_t rows = 0;  // of the official test set
};

// All 11, in the leaderboard's order.
const std::vector<LeaderboardFile>& leaderboard_files();

// The text of `file` from a prediction file (index<TAB>prediction, rows 0, 1, ... in order): labels
// as they are, scores with 3 decimals within [0, 5]. Throws a user error that names file and line
// of a row that does not fit, or says that the number of rows is not the official one, unless
// `any_size`.
std::string leaderboard_text(const LeaderboardFile& file, const std::filesystem::path& predictions,
                             bool any_size);

// What stands in every row where a task has no predictions: "0", "0.000", "contradiction", ...
std::string fill_value(const LeaderboardFile& file);
// The text of `file` with as many rows as it must have, all with that value.
std::string filled_text(const LeaderboardFile& file);

}  // namespace kdbench
