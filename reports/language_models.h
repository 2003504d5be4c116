// SPDX-License-Identifier: MIT
// The models that write transfer sets: how well they say a task's texts.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// A row for each done run of one; none where there are none. Scores of the kept checkpoint.
Table language_model_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
