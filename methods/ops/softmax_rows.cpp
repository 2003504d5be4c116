// SPDX-License-Identifier: MIT
#include "methods/ops/softmax_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "methods/ops/simd.h"

namespace kdbench {
namespace {

// exp(x) for x <= 88 to about 1 ulp; below -87 it stays at exp(-87), near the smallest normal
// number. x = n log 2 + r with |r| <= log(2) / 2, exp(r) by a polynomial that interpolates at
// Chebyshev nodes, 2^n by its exponent bits.
inline float fast_exp(float x) {
  constexpr float kRound =
      12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  constexpr float kLog2High = 0.693359375f, kLog2Low = -2.12194440e-4f;
  const float bounded = std::max(x, -87.0f);
  const float shifted = bounded * 1.44269504f + kRound;
  const float n = shifted - kRound;
  const float r = (bounded - n * kLog2High) - n * kLog2Low;
  float sum = 1.393365246e-3f;
  sum = sum * r + 8.363181545e-3f;
  sum = sum * r + 4.166646490e-2f;
  sum = sum * r + 1.666657697e-1f;
  sum = sum * r + 0.5f;
  sum = sum * (r * r) + r + 1.0f;
  const int32_t exponent = std::bit_cast<int32_t>(shifted) - std::bit_cast<int32_t>(kRound);
  return sum * std::bit_cast<float>((exponent + 127) << 23);
}

inline int64_t whole_vectors(int64_t n) { return n & ~int64_t{15}; }

}  // namespace

KDBENCH_SIMD float softmax_dropout(int64_t n, float* scores, const uint32_t* words, Keep keep) {
  const int64_t count = whole_vectors(n);
  float top = scores[0];
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < count; ++j) top = scores[j] > top ? scores[j] : top;
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int64_t j = 0; j < count; ++j) {
    const float value = fast_exp(scores[j] - top);
    scores[j] = value;
    sum += value;
  }
  const float factor = keep.scale / sum;
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) {
    scores[j] *= words[j] >= keep.threshold ? factor : 0.0f;
  }
  return top + std::log(sum);
}

KDBENCH_SIMD void softmax_dropout_backward(int64_t n, float* scores, float* dweights, float log_sum,
                                           const uint32_t* words, Keep keep) {
  const int64_t count = whole_vectors(n);
  float product = 0.0f;
#pragma omp simd reduction(+ : product)
  for (int64_t j = 0; j < count; ++j) {
    const float p = fast_exp(scores[j] - log_sum);
    const float factor = words[j] >= keep.threshold ? keep.scale : 0.0f;
    const float d = factor * dweights[j];
    product += p * d;
    scores[j] = p;
    dweights[j] = d;
  }
#pragma omp simd
  for (int64_t j = 0; j < count; ++j) {
    const float p = scores[j];
    const float factor = words[j] >= keep.threshold ? keep.scale : 0.0f;
    dweights[j] = p * (dweights[j] - product);
    scores[j] = p * factor;
  }
}

}  // namespace kdbench
