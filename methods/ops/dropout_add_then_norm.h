// SPDX-License-Identifier: MIT
// s = residual + dropout(x + b) and LayerNorm(s) in one pass: what stands between two halves of a
// pre-norm transformer (GPT-2). The sum goes on, its norm is what the next half reads.
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/dropout.h"
#include "methods/ops/dropout_add_layer_norm.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

struct NormedSum {
  at::Tensor sum, normalized;  // (T, H) each
};

// x, residual (T, H), bias (H), all of one type -> of that type. Fast on the CPU in float32;
// elsewhere the reference. Parameter gradients go where parameter_gradient.h says.
NormedSum dropout_add_then_norm(const at::Tensor& x, const at::Tensor& bias,
                                const at::Tensor& residual, const LayerNormParameters& norm,
                                const Dropout& dropout, const TokenRows& rows);
NormedSum dropout_add_then_norm_reference(const at::Tensor& x, const at::Tensor& bias,
                                          const at::Tensor& residual,
                                          const LayerNormParameters& norm, const Dropout& dropout,
                                          const TokenRows& rows);

}  // namespace kdbench
