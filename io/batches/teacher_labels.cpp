// SPDX-License-Identifier: MIT
#include "io/batches/teacher_labels.h"

#include <utility>

namespace kdbench {
namespace {

class TeacherLabelled : public Dataset {
 public:
  TeacherLabelled(std::unique_ptr<Dataset> rows, const Range& scores)
      : rows_(std::move(rows)), scores_(scores) {}

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return true; }
  const Dataset& of_teacher() const override { return rows_->of_teacher(); }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch = rows_->batch(indices, global_rows);
    const at::Tensor& logits = batch.dense_field(field::kTeacherLogits);
    batch.labels = logits.size(1) == 1 ? logits.select(1, 0).clamp(scores_.low, scores_.high)
                                       : logits.argmax(1);
    return batch;
  }

 private:
  std::unique_ptr<Dataset> rows_;
  const Range scores_;
};

}  // namespace

std::unique_ptr<Dataset> with_teacher_labels(std::unique_ptr<Dataset> rows, const Range& scores) {
  return std::make_unique<TeacherLabelled>(std::move(rows), scores);
}

}  // namespace kdbench
