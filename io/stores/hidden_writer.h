// SPDX-License-Identifier: MIT
// States of every token of one split on their way to the disk, a window of rows after the other, so
// that no rank holds more of them than of one window. Rows differ in length; their tokens are rows
// of one width, and what row_exchange.h moves.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "io/base/collective.h"
#include "io/hdf5/hdf5.h"
#include "io/hdf5/row_exchange.h"

namespace kdbench {

// What is written, the same on every rank.
struct HiddenLayout {
  std::vector<int64_t> layers;  // 1-based
  int64_t hidden_size = 0;
  std::vector<int64_t> offsets{0};  // in tokens, of all rows in ascending row id (rows + 1)
};

class HiddenWriter {
 public:
  // Collective: makes the arrays in `split`.
  HiddenWriter(const Communicator& ranks, const hdf5::Group& split, HiddenLayout layout,
               at::ScalarType dtype);

  // The rows [first, second) of the next window; first == second when all are written.
  std::pair<int64_t, int64_t> window() const;

  // Collective: `rows`, ascending, are this rank's rows of the window (each is one rank's), and
  // `states` (their tokens, layers, H). Errors as in write_teacher_store.
  void write(const std::vector<int64_t>& rows, const std::vector<float>& states);

 private:
  void take(const std::vector<int64_t>& rows, const std::vector<float>& states);

  const Communicator& ranks_;
  HiddenLayout layout_;
  at::ScalarType dtype_;
  hdf5::Dataset dataset_;
  int64_t next_row_ = 0;
  int64_t written_ = 0;  // tokens; ends a chunk until the last window
  // This rank's tokens from `written_` on: where they belong, and their states.
  std::vector<int64_t> positions_;
  std::vector<float> states_;
};

}  // namespace kdbench
