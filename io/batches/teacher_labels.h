// SPDX-License-Identifier: MIT
// A teacher's answers in place of labels, for rows that have none: d-bert's hard labels of a
// transfer set (join_logits).
#pragma once

#include <memory>

#include "io/base/range.h"
#include "io/batches/dataset.h"

namespace kdbench {

// `rows`, whose batches hold the teacher's logits, with labels: the class of the largest logit (of
// equals the first), or, of one logit, the score within `scores`.
std::unique_ptr<Dataset> with_teacher_labels(std::unique_ptr<Dataset> rows, const Range& scores);

}  // namespace kdbench
