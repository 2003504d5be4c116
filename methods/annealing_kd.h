// SPDX-License-Identifier: MIT
// Annealing-KD (Jafari et al. 2021, arXiv 2104.07163). Phase 1: the student regresses the teacher's
// logits, scaled by a factor that grows in steps to 1 (Eq. 2-5); phase 2: hard labels from phase
// 1's best or last weights, with a fresh optimizer and schedule.
#pragma once

#include <cstdint>

#include "methods/method.h"

namespace kdbench {

// Factor of the teacher's logits in an epoch (0-based) of phase 1: min(1 + floor(epoch / k), Tmax)
// / Tmax with k = floor(phase1_epochs / Tmax), which must be at least 1. The authors' program goes
// past 1 where phase1_epochs is no multiple of Tmax; here it stays at 1.
double annealing_scale(int64_t epoch, int64_t phase1_epochs, int64_t max_temperature);

// (1 / (B C)) sum (student - scale teacher)^2; student, teacher (b, C), B = `global_rows`. No
// gradient flows to the teacher.
at::Tensor annealed_logit_error(const at::Tensor& student, const at::Tensor& teacher, double scale,
                                int64_t global_rows);

}  // namespace kdbench
