// SPDX-License-Identifier: MIT
// Tables with one row a run.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// Every run with all that was measured: metrics of both checkpoints, costs, throughput; for
// programs also what made it (settings' hash, commit, machine, dates).
Table run_table(const std::vector<nlohmann::json>& runs);
// The runs that failed, were stopped or killed, with the reason.
Table not_done_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
