// SPDX-License-Identifier: MIT
// An example of a method: the teacher's logits by squared error (Ba & Caruana 2014, arXiv
// 1312.6184), and its states in one layer as a hint (FitNets: Romero et al. 2015, arXiv 1412.6550),
// to which a trained projection W carries the student's:
//   (1 - alpha) CE + alpha |z_s - z_t|^2 + beta |W h_s - h_t|^2
// methods/README.md goes through it.
#pragma once

#include "methods/method.h"

namespace kdbench {

// (1 / (B C)) sum (s - t)^2; student, teacher (b, C), B = `global_rows`. No gradient flows to the
// teacher.
at::Tensor logit_error(const at::Tensor& student, const at::Tensor& teacher, int64_t global_rows);

// The mean over a row's tokens and the teacher's width of (W h_s - h_t)^2, then the mean over B =
// `global_rows` rows. student (T, H_s), teacher (T, H_t), projection (H_t, H_s), offsets (b + 1):
// row r is tokens offsets[r] to offsets[r + 1].
at::Tensor hint_error(const at::Tensor& student, const at::Tensor& teacher,
                      const at::Tensor& projection, const at::Tensor& offsets, int64_t global_rows);

MethodEntry hint_entry();

}  // namespace kdbench
