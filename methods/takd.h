// SPDX-License-Identifier: MIT
// Distillation by way of a teaching assistant (Mirzadeh et al. 2020, arXiv 1902.03393): a model of
// middle size learns from the teacher by vanilla distillation, the student from it, both with the
// same loss.
#pragma once

#include "methods/method.h"

namespace kdbench {

MethodEntry takd_entry();

}  // namespace kdbench
