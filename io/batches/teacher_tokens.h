// SPDX-License-Identifier: MIT
// Rows that two models learn from, each by tokens of its own.
#pragma once

#include <memory>

#include "io/batches/dataset.h"

namespace kdbench {

// `rows` with the teacher's tokens in every batch (field::kTeacherTokens, kTeacherFirstSegment).
// Throws a user error when `teacher` does not hold the same rows in the same order.
std::unique_ptr<Dataset> with_teacher_tokens(std::unique_ptr<Dataset> rows,
                                             std::unique_ptr<Dataset> teacher);

}  // namespace kdbench
