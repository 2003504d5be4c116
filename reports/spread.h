// SPDX-License-Identifier: MIT
// How each score varies over the seeds: a mean of three runs hides what a reader needs.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// One row per task, method and metric: n, median, its 95 % interval where there are six or more
// runs, smallest, largest, and the value of every seed.
Table spread_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
