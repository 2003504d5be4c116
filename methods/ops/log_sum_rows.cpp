// SPDX-License-Identifier: MIT
#include "methods/ops/log_sum_rows.h"

#include <cmath>

#include "methods/ops/fast_exp.h"
#include "methods/ops/simd.h"

namespace kdbench {

KDBENCH_SIMD float log_sum_exp(int64_t n, const float* scores) {
  float top = scores[0];
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < n; ++j) top = scores[j] > top ? scores[j] : top;
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < n; ++j) sum += fast_exp(scores[j] - top);
  return top + std::log(sum);
}

KDBENCH_SIMD void scaled_softmax(int64_t n, float log_sum, float scale, float* scores) {
#pragma omp simd
  for (int64_t j = 0; j < n; ++j) scores[j] = scale * fast_exp(scores[j] - log_sum);
}

}  // namespace kdbench
