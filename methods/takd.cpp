// SPDX-License-Identifier: MIT
// Distillation by way of a teaching assistant (Mirzadeh et al. 2020, arXiv 1902.03393): a model of
// middle size learns from the teacher by vanilla distillation, the student from it, both with the
// same loss.
#include "methods/entries.h"
#include "methods/kd.h"

namespace kdbench {

// The same method trains the assistant, from the teacher's logits, and the student, from the
// assistant's.
MethodEntry takd_entry() {
  return {"takd", "Teacher, then a teaching assistant, then the student (Mirzadeh et al. 2020)",
          kd_options(),
          [](const Options& options) { return make_kd(options, /*from_assistant=*/true); }};
}

}  // namespace kdbench
