// SPDX-License-Identifier: MIT
// A frozen teacher that runs beside the student, for outputs that are too large to store: a data
// set whose batches carry what the teacher says of their rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"

namespace kdbench {

struct OnlineTeacher {
  Model* model = nullptr;
  TeacherNeeds needs;                        // the fields that are filled
  std::shared_ptr<const FeatureSplit> rows;  // as its own tokenizer cuts them
  at::ScalarType type = at::kFloat;          // ForwardMode::type
};

// `rows` with the teacher's tokens in every batch, and add_outputs for its fields: in evaluation
// mode; logits in the order of `labels`, the student's. Throws a user error when the two models'
// rows or labels are not the same.
std::unique_ptr<Dataset> with_online_teacher(std::unique_ptr<Dataset> rows,
                                             const OnlineTeacher& teacher,
                                             const std::vector<std::string>& labels);

}  // namespace kdbench
