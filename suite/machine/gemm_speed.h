// SPDX-License-Identifier: MIT
// How fast this process multiplies matrices on the CPU with its threads right now.
#pragma once

#include <c10/core/ScalarType.h>

namespace kdbench {

struct GemmSpeed {
  double flops_per_s = 0.0;
  bool right = true;  // the products came out as they should
};

// Multiplies matrices of `type` for about `seconds`. Local.
GemmSpeed measure_gemm(double seconds, at::ScalarType type = at::ScalarType::Float);

}  // namespace kdbench
