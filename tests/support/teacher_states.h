// SPDX-License-Identifier: MIT
// A dataset with a teacher's per-token states that lie in memory, row by row.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "io/batches/dataset.h"

namespace kdbench::testing {

class WithTeacherStates : public Dataset {
 public:
  // states[index]: (length, layers, H) of each row.
  WithTeacherStates(std::unique_ptr<Dataset> rows, std::vector<at::Tensor> states)
      : rows_(std::move(rows)), states_(std::move(states)) {}

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return rows_->labelled(); }
  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch = rows_->batch(indices, global_rows);
    std::vector<at::Tensor> parts{states_.front().narrow(0, 0, 0)};
    for (const int64_t index : indices) parts.push_back(states_[static_cast<size_t>(index)]);
    batch.ragged[field::kTeacherHidden] = {at::cat(parts),
                                           batch.ragged_field(field::kTokens).offsets};
    return batch;
  }

 private:
  std::unique_ptr<Dataset> rows_;
  std::vector<at::Tensor> states_;
};

// `rows` with made-up states of about unit size, the same on every call.
inline std::unique_ptr<Dataset> with_made_up_states(std::unique_ptr<Dataset> rows, int64_t layers,
                                                    int64_t hidden) {
  std::vector<at::Tensor> states;
  for (int64_t row = 0; row < rows->rows(); ++row) {
    const int64_t length = rows->length(row);
    const at::Tensor index = at::arange(length * layers * hidden, at::kDouble);
    states.push_back(((index * 12.9898 + static_cast<double>(row)).sin() * 437.585)
                         .frac()
                         .mul(2)
                         .to(at::kFloat)
                         .view({length, layers, hidden}));
  }
  return std::make_unique<WithTeacherStates>(std::move(rows), std::move(states));
}

}  // namespace kdbench::testing
