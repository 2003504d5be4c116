// SPDX-License-Identifier: MIT
// gelu(x + b), fused so that the widest matrix of a layer is read once (Hendrycks and Gimpel 2016).
// Of the exact (erf) gelu the fast form takes both gelu and its derivative from polynomials,
// absolute error below 1e-6.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

// The exact gelu, or GPT-2's ("gelu_new"): x/2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
enum class Gelu { kErf, kTanh };

// x (T, F), bias (F) -> (T, F) of x's type. Fast on the CPU in float32; elsewhere the reference.
// The bias gradient goes where parameter_gradient.h says.
at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias, Gelu gelu = Gelu::kErf);
at::Tensor bias_gelu_reference(const at::Tensor& x, const at::Tensor& bias, Gelu gelu = Gelu::kErf);

// gelu_new in place of a row of float32, by the fast form.
void gelu_tanh_row(int64_t width, const float* bias, float* x);

}  // namespace kdbench
