// SPDX-License-Identifier: MIT
#include "suite/models/online_teacher.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/batches/teacher_tokens.h"
#include "io/stores/feature_store.h"
#include "methods/models/layer_states.h"

namespace kdbench {
namespace {

// Column of the teacher's logits for each of the student's labels.
at::Tensor columns_in_order(const std::vector<std::string>& teacher,
                            const std::vector<std::string>& student) {
  std::vector<int64_t> columns;
  for (const auto& label : student) {
    const auto found = std::find(teacher.begin(), teacher.end(), label);
    if (found == teacher.end())
      throw_user_error("the teacher's labels", "lack " + label + ", a label of the student");
    columns.push_back(found - teacher.begin());
  }
  if (columns.empty()) columns.push_back(0);  // a score
  return at::tensor(columns, at::kLong);
}

class OnlineDataset : public Dataset {
 public:
  OnlineDataset(std::unique_ptr<Dataset> rows, const OnlineTeacher& teacher,
                const std::vector<std::string>& labels)
      : rows_(with_teacher_tokens(std::move(rows),
                                  make_dataset(teacher.rows, teacher.model->config().labels))),
        teacher_(teacher),
        columns_(columns_in_order(teacher.model->config().labels, labels)
                     .to(teacher.model->parameters().device())) {
    mode_.cls_states = !teacher.needs.cls_layers.empty();
    mode_.hidden_layers = teacher.needs.hidden_layers;
    mode_.type = teacher.type;
  }

  int64_t rows() const override { return rows_->rows(); }
  int64_t row_id(int64_t index) const override { return rows_->row_id(index); }
  int64_t length(int64_t index) const override { return rows_->length(index); }
  std::span<const int32_t> tokens(int64_t index) const override { return rows_->tokens(index); }
  bool labelled() const override { return rows_->labelled(); }
  Batch batch(const std::vector<int64_t>& indices, int64_t global_rows) const override {
    return rows_->batch(indices, global_rows);
  }

  void add_outputs(Batch& batch) const override {
    const at::NoGradGuard no_gradients;
    const Batch read = batch.of_teacher();
    const Outputs outputs = teacher_.model->forward(read, mode_);
    batch.dense[field::kTeacherLogits] = outputs.logits.index_select(1, columns_);
    if (mode_.cls_states)
      batch.dense[field::kTeacherCls] = cls_of_layers(outputs, teacher_.needs.cls_layers);
    if (!mode_.hidden_layers.empty()) {
      batch.ragged[field::kTeacherHidden] = {hidden_of_layers(outputs, mode_.hidden_layers),
                                             read.ragged_field(field::kTokens).offsets};
    }
  }

 private:
  std::unique_ptr<Dataset> rows_;
  const OnlineTeacher teacher_;
  at::Tensor columns_;
  ForwardMode mode_;
};

}  // namespace

std::unique_ptr<Dataset> with_online_teacher(std::unique_ptr<Dataset> rows,
                                             const OnlineTeacher& teacher,
                                             const std::vector<std::string>& labels) {
  return std::make_unique<OnlineDataset>(std::move(rows), teacher, labels);
}

}  // namespace kdbench
