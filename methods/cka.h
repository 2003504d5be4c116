// SPDX-License-Identifier: MIT
// Linear CKA of two sets of features of the same samples, by their sample Grams (Kornblith et al.
// 2019): CKA = <H Kx H, H Ky H> / (|H Kx H| |H Ky H|), K = X X^T, H = I - 11^T/n; its losses are
// -log(|CKA| + 1e-8). Values and gradients are computed together: d CKA / d Kx is an n x n matrix,
// so the gradient of features costs one more product. (H x H products would be cheaper only where a
// row has more tokens than features.)
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "methods/method.h"

namespace kdbench {

struct Cka {
  double value = 0.0;
  at::Tensor slope;  // (n, n) float64, symmetric: d value / d Kx; d value / dX = 2 slope X
};

// Grams (n, n) of any float type; the arithmetic is in float64. Norms of centred Grams are at least
// 1e-12: constant features have CKA 0 and no gradient.
Cka linear_cka(const at::Tensor& gram_x, const at::Tensor& gram_y);

// -log(|cka| + 1e-8), and its derivative.
double cka_loss(double cka);
double cka_loss_slope(double cka);

enum class IntraReduction { kMeanOfLogs, kLogOfMean };

// Structure of tokens within a row: the CKA of each row's n token vectors, over real tokens alone.
//   kMeanOfLogs  (1/B) sum_b cka_loss(CKA_b)
//   kLogOfMean   cka_loss((1/B) sum_b |CKA_b|): collective, and needs the whole batch
// student (T, Hs) and teacher (T, Ht) of this share's rows, in any strides. offsets (b + 1) int64,
// CPU; B = `global_rows`. This share's part of the value, with the whole gradient of its own rows;
// none flows to the teacher. A row of fewer than 2 tokens has CKA 1 and loss 0.
at::Tensor intra_cka_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& offsets, int64_t global_rows, IntraReduction reduction,
                          GlobalBatch& ranks);

// Structure of rows within the whole global batch: the CKA of B rows flattened token-major, zeros
// behind a row's end. Arguments and result as above. Collective: rows of all ranks are gathered
// without gradients, every rank computes the whole loss, and its own rows' gradient is exact. A
// batch of fewer than 2 rows has loss 0.
at::Tensor local_cka_loss(const at::Tensor& student, const at::Tensor& teacher,
                          const at::Tensor& offsets, int64_t global_rows, GlobalBatch& ranks);

}  // namespace kdbench
