// SPDX-License-Identifier: MIT
#include "methods/ops/softmax_rows.h"

#include <cmath>

#include "methods/ops/fast_exp.h"
#include "methods/ops/simd.h"

namespace kdbench {
namespace {

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
