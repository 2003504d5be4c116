// SPDX-License-Identifier: MIT
// How rows are dealt to ranks: in windows, of each of which every rank has a block, in the order
// of ranks. So what ranks make of a window is in the order of rows, and only a window's texts are
// in memory at a time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace kdbench {

class RowDeal {
 public:
  // Of each row `texts` are made.
  RowDeal(int64_t rows, int64_t texts, int ranks) : rows_(rows), ranks_(ranks) {
    constexpr int64_t kTexts = 1 << 15;  // of a window
    const int64_t fair = (rows + ranks - 1) / ranks;
    block_ = std::max<int64_t>(1, std::min(kTexts / texts / ranks, fair));
  }

  int64_t windows() const { return (rows_ + ranks_ * block_ - 1) / (ranks_ * block_); }
  // Rows begin .. end - 1 of a window are this rank's.
  int64_t begin(int64_t window, int rank) const {
    return std::min(rows_, (window * ranks_ + rank) * block_);
  }
  int64_t end(int64_t window, int rank) const { return begin(window, rank + 1); }

 private:
  int64_t rows_, ranks_, block_ = 1;
};

}  // namespace kdbench
