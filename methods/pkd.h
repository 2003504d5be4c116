// SPDX-License-Identifier: MIT
// Patient knowledge distillation (Sun et al. 2019, arXiv 1908.09355): beside labels and softened
// logits, the student's [CLS] states of all layers but the last follow chosen teacher layers:
// alpha KD + (1 - alpha) CE + beta PT. Reductions are those of the authors' program, on which the
// published alpha and beta depend: KD is divided by classes too, PT is a mean over elements.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "methods/method.h"

namespace kdbench {

// The teacher layers (1-based) that student layers 1 .. student_layers - 1 follow, in order:
//   skip  m, 2m, ..., (student_layers - 1) m with m = teacher_layers / student_layers (must divide)
//   last  teacher_layers - student_layers + 1, ..., teacher_layers - 1
//   auto  what the authors ran: last for students of up to 3 layers, else skip
// Throws a user error when the depths do not fit.
std::vector<int64_t> patient_layers(const std::string& choice, int64_t teacher_layers,
                                    int64_t student_layers);

// (1 / (B K H)) sum (t - s)^2; student, teacher (b, K, H) with B = `global_rows`. `normalize`
// divides each vector by its L2 norm (at least 1e-12) first. No gradient flows to the teacher.
at::Tensor patience_loss(const at::Tensor& student, const at::Tensor& teacher, bool normalize,
                         int64_t global_rows);

}  // namespace kdbench
