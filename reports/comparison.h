// SPDX-License-Identifier: MIT
// The comparison table, task x method, from the records of runs; the same for `run` and `report`.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reports/run_files.h"
#include "reports/table.h"

namespace kdbench {

// One row per task and method (RunGroup), the teacher first, then the assistant: n seeds, mean (sd)
// of each of the task's dev metrics at the recorded checkpoint, parameters, epochs, steps,
// core-seconds, training seconds, samples/s, speed-up over the teacher. Failed and stopped runs are
// counted, never averaged. Of a grid only the best point has a row, marked as selected on dev.
Table comparison_table(const std::vector<nlohmann::json>& runs);
// For the terminal: the comparison table, and below it the grids, and the runs that are not done,
// with reasons.
std::string write_summary(const std::vector<nlohmann::json>& runs);
// The same tables for programs: "comparison", "grids", "not_done" (write_json).
nlohmann::json summary_json(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
