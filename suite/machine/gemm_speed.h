// SPDX-License-Identifier: MIT
// How fast this process multiplies float32 matrices with its threads right now.
#pragma once

namespace kdbench {

struct GemmSpeed {
  double flops_per_s = 0.0;
  bool right = true;  // the products came out as they should
};

// Multiplies for about `seconds`. Local.
GemmSpeed measure_gemm(double seconds);

}  // namespace kdbench
