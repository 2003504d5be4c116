// SPDX-License-Identifier: MIT
// -log softmax(x W^T + b)[target]: the end of a language model, where the scores of a vocabulary
// are the widest matrix by far. Scores are never kept: forward leaves a log sum a row, and backward
// computes them again, one chunk of rows after the other.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace kdbench {

// What is worked on at once: on the CPU so many floats of W, on a GPU so many scores.
inline constexpr int64_t kBlockWeights = int64_t{1} << 18;
inline constexpr int64_t kChunkScores = int64_t{1} << 24;

// x (n, H) in any floating type, weight (V, H), bias (V) or undefined, targets (n) int64 below V ->
// (n) float32 (float64 of such). `rounded`, where it is defined: the weight in x's low type, which
// is multiplied in its place. The gradients of weight and bias go where parameter_gradient.h says.
at::Tensor target_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const at::Tensor& targets, const at::Tensor& rounded = {});
at::Tensor target_loss_reference(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias, const at::Tensor& targets);

}  // namespace kdbench
