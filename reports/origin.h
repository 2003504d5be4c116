// SPDX-License-Identifier: MIT
// How results were made, gathered from all runs: what a reader needs to make them again.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// Commands, commits, builds, machines, Slurm jobs, dates, data and teacher hashes: one row for each
// distinct value, with the number of runs that share it.
Table origin_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
