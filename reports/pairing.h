// SPDX-License-Identifier: MIT
// Each method against fine-tuning on hard labels alone, paired by seed: a seed decides the order of
// the batches and the first values of the head, so differences of equal seeds vary less than means.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// One row per method and finetune entry of the same task that have finished seeds in common: the
// number of pairs, mean and sd of the differences of each metric, and what the method cost (all its
// pairs' core-seconds and steps over finetune's). A second finetune entry (of equal budget, say) is
// compared with the first. May have no rows.
Table paired_table(const std::vector<nlohmann::json>& runs);

}  // namespace kdbench
