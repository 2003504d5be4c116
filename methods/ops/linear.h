// SPDX-License-Identifier: MIT
// y = x W^T + b on any device. Backward adds dW and db straight into the parameters' .grad() (see
// parameter_gradient.h): in float32 one GEMM that accumulates, no temporary the size of the
// weights.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

// x (T, in), weight (out, in), bias (out) or undefined -> (T, out), all of one type. T may be 0.
// Not differentiable twice.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
// x (T, in) in low precision and `rounded`, the weight in that type -> (T, out) of the type; the
// gradient is the weight's, in float32. Mixed precision as in Micikevicius et al. 2018.
at::Tensor linear_rounded(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rounded);
// The same by weights that stand as (in, out), in x's type (`rounded` undefined) or rounded to it.
at::Tensor linear_in_out(const at::Tensor& x, const at::Tensor& weight,
                         const at::Tensor& rounded = {});
at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias = {});

}  // namespace kdbench
