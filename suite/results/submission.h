// SPDX-License-Identifier: MIT
// A submission to GLUE's leaderboard from finished runs: which run gives which file, and what is
// filled in. Local.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdbench {

struct SubmissionOptions {
  std::string label;            // of the runs; a grid's label stands for all its points; "": any
  std::optional<int64_t> seed;  // absent: any
  bool best = false;            // of several runs the one with the best dev score
  bool any_size = false;        // also files that the leaderboard refuses
};

struct SubmissionFile {
  std::string name, content;
  std::string origin;  // one line: the run that it comes from, or what it is filled with and why
};

// All files of the leaderboard from the records of runs (read_runs). Assistants and teachers count
// where a task has nothing else, or when the label is theirs. Predictions by `kdbench predict` have
// neither label nor seed: where these choose, predictions fill in. The diagnostic set comes from
// the run that MNLI comes from, else from a prediction of task AX. Throws one user error with
// everything that is wrong: several runs for a task, prediction files that do not fit, nothing to
// submit.
std::vector<SubmissionFile> make_submission(const std::vector<nlohmann::json>& runs,
                                            const SubmissionOptions& options);

}  // namespace kdbench
