// SPDX-License-Identifier: MIT
// Rows that lie anywhere on the ranks, written in ascending row id. They travel in bounded windows,
// so no rank ever holds more than a piece of the whole array besides its own rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/base/collective.h"
#include "io/hdf5/hdf5.h"

namespace kdbench {

// This rank's rows and where they stand in an array, ascending.
struct RowPlaces {
  std::vector<int64_t> local;      // rows (indices)
  std::vector<int64_t> positions;  // in the array
};

struct RowOrder {
  std::vector<int64_t> ids;  // of all ranks, ascending
  RowPlaces mine;            // among `ids`
};

// Collective. Throws on all ranks when an id occurs twice; `what` is for the message.
RowOrder order_rows(const Communicator& ranks, const std::vector<int64_t>& my_ids,
                    const std::string& what);

// Collective: writes the rows [first, end) of `dataset`, each of which is among one rank's `mine`;
// `first` begins a chunk. `rows` is this rank's array of rows, which `mine.local` counts. Values
// are converted to `dtype` (kFloat, kHalf or kBFloat16); one that is finite only in float32 is a
// user error.
void write_range(const Communicator& ranks, const RowPlaces& mine, int64_t first, int64_t end,
                 const hdf5::Dataset& dataset, at::ScalarType dtype,
                 const std::vector<float>& rows);

// Collective: all rows, in ascending id; `rows` is this rank's (rows, width) array in its own
// order.
void write_ordered(const Communicator& ranks, const RowOrder& order, const hdf5::Dataset& dataset,
                   at::ScalarType dtype, const std::vector<float>& rows);

}  // namespace kdbench
