// SPDX-License-Identifier: MIT
// gelu(x + b) with the exact (erf) gelu (Hendrycks and Gimpel 2016), fused so that the widest
// matrix of a layer is read once. The fast form takes both gelu and its derivative from
// polynomials, absolute error below 1e-6.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

// x (T, F), bias (F) -> (T, F) of x's type. Fast on the CPU in float32; elsewhere the reference.
// The bias gradient goes where parameter_gradient.h says.
at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias);
at::Tensor bias_gelu_reference(const at::Tensor& x, const at::Tensor& bias);

}  // namespace kdbench
