// SPDX-License-Identifier: MIT
// Result folders in, the comparison table (task x method) out. Reads run.json files only; never
// trains.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// run.json of every finished run below the folders (a run folder, an experiment's folder, or an
// output folder; .partial and .stages are skipped), in order of path. Throws a user error when
// there is none or one cannot be read (file and reason).
std::vector<nlohmann::json> read_runs(const std::vector<std::filesystem::path>& folders);

// One row per task and method label in order of first appearance, the teacher first: n seeds, mean
// (sd) of each of the task's dev metrics at the recorded checkpoint, parameters, epochs, training
// seconds, samples/s. Failed runs are counted and shown, never averaged.
Table comparison_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
