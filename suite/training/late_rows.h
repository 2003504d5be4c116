// SPDX-License-Identifier: MIT
// Rows of a table that an optimizer moves later. Without a gradient a step moves a row by its
// moments and its decay alone; these moves can wait until the row is read, and are then made one
// after the other, in registers instead of memory. The result is the same as if none had waited.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include "suite/training/token_tables.h"

namespace kdbench {

// `Factors`: the numbers of one step, as the optimizer's loop needs them.
template <typename Factors>
class LateRows {
 public:
  // Moves a row by `steps` steps without a gradient, of the numbers `factors`.
  using Idle = std::function<void(const FlatSpan& row, const Factors* factors, int64_t steps)>;

  explicit LateRows(const TokenTable& table)
      : table_(table), taken_(static_cast<size_t>(table.rows), 0) {}

  const TokenTable& table() const { return table_; }

  // A step that has moved `rows`; the others are to follow.
  void took_step(const Factors& factors, const std::vector<int64_t>& rows) {
    steps_.push_back(factors);
    for (const int64_t row : rows) taken_[row] = steps();
  }

  // Moves those of `rows` that have not taken the last steps, as far as this rank moves them.
  void settle(const std::vector<int64_t>& rows, const Idle& idle) {
    at::parallel_for(0, static_cast<int64_t>(rows.size()), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (!table_.part.moves_row(rows[i])) continue;
        int32_t& taken = taken_[rows[i]];
        if (taken < steps()) idle(table_.span(rows[i]), steps_.data() + taken, steps() - taken);
        taken = steps();
      }
    });
  }

  // The same for every row; the steps are forgotten.
  void settle_all(const Idle& idle) {
    if (steps_.empty()) return;
    std::vector<int64_t> all(taken_.size());
    std::iota(all.begin(), all.end(), 0);
    settle(all, idle);
    steps_.clear();
    std::fill(taken_.begin(), taken_.end(), 0);
  }

 private:
  static constexpr int64_t kGrain = 16;  // rows
  int32_t steps() const { return static_cast<int32_t>(steps_.size()); }

  TokenTable table_;
  std::vector<Factors> steps_;  // since all rows were settled
  std::vector<int32_t> taken_;  // of those, by row
};

}  // namespace kdbench
