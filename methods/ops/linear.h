// SPDX-License-Identifier: MIT
// y = x W^T + b on any device. Backward adds dW and db straight into the parameters' .grad() (see
// parameter_gradient.h): one GEMM that accumulates, no temporary the size of the weights.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

// x (T, in), weight (out, in), bias (out) or undefined -> (T, out). T may be 0. Not differentiable
// twice.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias = {});
at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias = {});

}  // namespace kdbench
