// SPDX-License-Identifier: MIT
// y = LayerNorm(residual + dropout(x + b)) in one pass: the end of both halves of a post-norm
// transformer layer. `b` is the bias of the linear layer before it.
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/dropout.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

// Parameters (H) each.
struct LayerNormParameters {
  at::Tensor gamma, beta;
  double eps = 1e-12;
};

// x, residual (T, H), bias (H) -> (T, H) of x's type. Fast on the CPU in float32; elsewhere the
// reference. Parameter gradients go where parameter_gradient.h says.
at::Tensor dropout_add_layer_norm(const at::Tensor& x, const at::Tensor& bias,
                                  const at::Tensor& residual, const LayerNormParameters& norm,
                                  const Dropout& dropout, const TokenRows& rows);
at::Tensor dropout_add_layer_norm_reference(const at::Tensor& x, const at::Tensor& bias,
                                            const at::Tensor& residual,
                                            const LayerNormParameters& norm, const Dropout& dropout,
                                            const TokenRows& rows);

}  // namespace kdbench
