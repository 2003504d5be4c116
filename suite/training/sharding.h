// SPDX-License-Identifier: MIT
// Which rank works on which rows of a global batch. Pure functions of the rows' lengths: every rank
// computes all shares.
#pragma once

#include <cstdint>
#include <vector>

#include "io/batches/dataset.h"

namespace kdbench {

// Splits `rows` (indices into `data`) over `ranks` so that the numbers of tokens balance (longest
// first, to the least loaded rank). Each row goes to exactly one rank; shares keep the order of
// `rows` and may be empty.
std::vector<std::vector<int64_t>> split_rows(const Dataset& data, const std::vector<int64_t>& rows,
                                             int ranks);

// Of all `rows` together: Batch::global_targets.
int64_t targets_of(const Dataset& data, const std::vector<int64_t>& rows);

// The consecutive slices of one rank's share that are passed forward at once: `micro_batch` rows
// each, 0: the whole share. Every rank gets the same number of slices (empty ones at the end where
// its share is shorter), so that all make the same calls.
std::vector<std::vector<int64_t>> micro_batches(const std::vector<std::vector<int64_t>>& shares,
                                                int rank, int64_t micro_batch);

}  // namespace kdbench
