// SPDX-License-Identifier: MIT
// A teacher's logits on the rows of a file, from where it left them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/stores/teacher_store.h"
#include "io/tasks/glue.h"

namespace kdbench {

struct RowLogits {
  int64_t classes = 0;        // 1: scores
  std::vector<float> values;  // (rows of the file, classes), classes in the order of task.labels
  std::string order_from;     // how their order is known, for the user
};

// Of the split of a teacher store that was made from this very file (by its hash), row by row id.
// Throws a user error with the reason when there is none, or when rows or classes are missing.
RowLogits store_logits(const std::filesystem::path& store, const GlueFile& rows, const Task& task);

// Of a file that `predict` left: index, logit0, logit1, ... It says neither whose rows they are
// nor which class is which: `label_order` does; empty, the order is that of task.labels, and
// NAME.tsv beside NAME-logits.tsv, with the predicted labels, must agree. Throws a user error that
// lists what does not fit.
RowLogits table_logits(const std::filesystem::path& table, const GlueFile& rows, const Task& task,
                       const std::vector<std::string>& label_order);

}  // namespace kdbench
