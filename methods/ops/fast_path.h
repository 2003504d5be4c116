// SPDX-License-Identifier: MIT
// The fused CPU kernels take float32; everything else goes the way of plain tensor operations.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

inline bool has_fast_path(const at::Tensor& x) {
  return x.is_cpu() && x.scalar_type() == at::kFloat;
}

}  // namespace kdbench
