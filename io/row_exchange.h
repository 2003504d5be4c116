// SPDX-License-Identifier: MIT
// Rows that lie anywhere on the ranks, written in ascending row id. They travel in bounded windows,
// so no rank ever holds more than a piece of the whole array besides its own rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/collective.h"
#include "io/hdf5.h"

namespace kdbench {

// Where this rank's rows stand among all of them.
struct RowOrder {
  std::vector<int64_t> ids;        // of all ranks, ascending
  std::vector<int64_t> local;      // this rank's rows (indices), ascending by id
  std::vector<int64_t> positions;  // in `ids`, of `local`
};

// Collective. Throws on all ranks when an id occurs twice; `what` is for the message.
RowOrder order_rows(const Ranks& ranks, const std::vector<int64_t>& my_ids,
                    const std::string& what);

// Collective. `rows` is this rank's (rows, width) array in its own order, `dataset` one of
// order.ids.size() rows. Values are converted to `dtype` (kFloat, kHalf or kBFloat16); one that is
// finite only in float32 is a user error.
void write_ordered(const Ranks& ranks, const RowOrder& order, const hdf5::Dataset& dataset,
                   at::ScalarType dtype, const std::vector<float>& rows);

}  // namespace kdbench
