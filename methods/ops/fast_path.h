// SPDX-License-Identifier: MIT
// The fused CPU kernels take float32; everything else goes the way of plain tensor operations.
// Activations may be bfloat16 or float16 (low precision); what is computed of them, but for matrix
// products, is computed in float32.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

inline bool has_fast_path(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat;
}

inline bool is_low(const at::Tensor& x) { return at::isReducedFloatingType(x.scalar_type()); }

}  // namespace kdbench
