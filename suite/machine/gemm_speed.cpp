// SPDX-License-Identifier: MIT
#include "suite/machine/gemm_speed.h"

#include <ATen/ATen.h>

#include "suite/machine/stopwatch.h"

namespace kdbench {

GemmSpeed measure_gemm(double seconds, at::ScalarType type) {
  constexpr int64_t kMatrix = 512;
  const at::Tensor a = at::ones({kMatrix, kMatrix}, type), b = at::ones({kMatrix, kMatrix}, type);
  at::Tensor c = at::mm(a, b);  // warm
  const auto start = std::chrono::steady_clock::now();
  int64_t products = 0;
  do {
    at::mm_out(c, a, b);
    ++products;
  } while (seconds_since(start) < seconds);
  const double flops = 2.0 * kMatrix * kMatrix * kMatrix * static_cast<double>(products);
  return {flops / seconds_since(start), c.eq(static_cast<double>(kMatrix)).all().item<bool>()};
}

}  // namespace kdbench
