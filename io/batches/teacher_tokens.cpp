// SPDX-License-Identifier: MIT
#include "io/batches/teacher_tokens.h"

#include "io/base/error.h"

namespace kdbench {
namespace {

class TwoReaders : public Dataset {
 public:
  TwoReaders(std::unique_ptr<Dataset> rows, std::unique_ptr<Dataset> teacher)
      : rows_(std::move(rows)), teacher_(std::move(teacher)) {
    bool same = rows_->rows() == teacher_->rows();
    for (int64_t i = 0; same && i < rows_->rows(); ++i)
      same = rows_->row_id(i) == teacher_->row_id(i);
    if (same) return;
    throw_user_error("the teacher's rows", "are not those of the student",
                     "both must be made from one data folder and train_limit");
  }

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return rows_->labelled(); }
  const Dataset& of_teacher() const override { return *teacher_; }

  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    Batch batch = rows_->batch(indices, global_rows);
    const Batch read = teacher_->batch(indices, global_rows);
    batch.ragged[field::kTeacherTokens] = read.ragged_field(field::kTokens);
    batch.dense[field::kTeacherFirstSegment] = read.dense_field(field::kFirstSegment);
    return batch;
  }
  void add_outputs(Batch& batch) const override { rows_->add_outputs(batch); }

 private:
  std::unique_ptr<Dataset> rows_, teacher_;
};

}  // namespace

std::unique_ptr<Dataset> with_teacher_tokens(std::unique_ptr<Dataset> rows,
                                             std::unique_ptr<Dataset> teacher) {
  return std::make_unique<TwoReaders>(std::move(rows), std::move(teacher));
}

}  // namespace kdbench
