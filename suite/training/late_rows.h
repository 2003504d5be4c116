// SPDX-License-Identifier: MIT
// Rows of tables that an optimizer moves later. Without a gradient a step moves a row by its state
// (moments, averages) and its decay alone; these moves can wait until the row is read, and are then
// made one after the other, in registers instead of memory. The result is the same as if none had
// waited.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

#include "suite/training/token_tables.h"

namespace kdbench {

// The buffers of an optimizer with two floats of state for each value, (buffer_size).
struct MovedBuffers {
  MovedBuffers(Parameters& parameters, at::Tensor& first, at::Tensor& second)
      : values(parameters.values().data_ptr<float>()),
        first(first.data_ptr<float>()),
        second(second.data_ptr<float>()) {}
  float *values, *first, *second;
};

// `Factors`: the numbers of one step, as the optimizer's loop needs them.
template <typename Factors>
class LateRows {
 public:
  // Moves `count` values by `steps` steps without a gradient, of the numbers `factors`.
  using Idle = void (*)(float* values, float* first, float* second, int64_t count,
                        const Factors* factors, int64_t steps);

  LateRows() = default;
  LateRows(const std::vector<TokenTable>& tables, Idle idle) : idle_(idle) {
    for (const auto& table : tables)
      tables_.push_back({table, {}, std::vector<int32_t>(static_cast<size_t>(table.rows), 0)});
  }

  // A step that has moved `rows`; the others are to follow. factors(i): those of the i-th table.
  void took_step(const std::vector<int64_t>& rows, const std::function<Factors(size_t)>& factors) {
    for (size_t i = 0; i < tables_.size(); ++i) {
      Late& late = tables_[i];
      late.steps.push_back(factors(i));
      for (const int64_t row : rows) late.taken[static_cast<size_t>(row)] = late.last();
    }
  }

  // Moves those of `rows` that have not taken the last steps, as far as this rank moves them.
  void settle(const std::vector<int64_t>& rows, const MovedBuffers& buffers) {
    for (auto& late : tables_) settle(late, rows, buffers);
  }
  // The same for every row; the steps are forgotten.
  void settle(const MovedBuffers& buffers) {
    for (auto& late : tables_) {
      if (late.steps.empty()) continue;
      std::vector<int64_t> all(late.taken.size());
      std::iota(all.begin(), all.end(), 0);
      settle(late, all, buffers);
      late.steps.clear();
      std::fill(late.taken.begin(), late.taken.end(), 0);
    }
  }

 private:
  static constexpr int64_t kGrain = 16;  // rows

  struct Late {
    TokenTable table;
    std::vector<Factors> steps;  // since all rows were settled
    std::vector<int32_t> taken;  // of those, by row

    int32_t last() const { return static_cast<int32_t>(steps.size()); }
  };

  void settle(Late& late, const std::vector<int64_t>& rows, const MovedBuffers& buffers) const {
    at::parallel_for(0, static_cast<int64_t>(rows.size()), kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (!late.table.part.moves_row(rows[i])) continue;
        int32_t& taken = late.taken[rows[i]];
        if (taken < late.last()) {
          const FlatSpan row = late.table.span(rows[i]);
          idle_(buffers.values + row.begin, buffers.first + row.begin, buffers.second + row.begin,
                row.size(), late.steps.data() + taken, late.last() - taken);
        }
        taken = late.last();
      }
    });
  }

  Idle idle_ = nullptr;
  std::vector<Late> tables_;
};

}  // namespace kdbench
