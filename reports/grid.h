// SPDX-License-Identifier: MIT
// Hyper-parameter grids ([method.grid]): the point that stands for a grid, and the grid itself.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/run_group.h"
#include "reports/table.h"

namespace kdbench {

// group_runs with one group for each grid and task: the point with the best mean dev score over its
// seeds, of equals the one with the smaller values (`searched` is set).
std::vector<RunGroup> compared_groups(const std::vector<nlohmann::json>& runs);

// What people must know of groups that were selected this way; nothing without grids.
std::vector<std::string> grid_notes(const std::vector<RunGroup>& compared);

// One row per point of every grid: its values, n, mean (sd) of the dev metrics, core-seconds, and
// which point is the best. May have no rows.
Table grid_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
