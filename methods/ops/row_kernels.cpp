// SPDX-License-Identifier: MIT
#include "methods/ops/row_kernels.h"

#include <cmath>

#include "methods/ops/simd.h"

namespace kdbench {

KDBENCH_SIMD void add_dropped(int64_t width, const float* x, const float* bias,
                              const float* residual, const uint32_t* words, Keep keep, float* sum) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float factor = words[i] >= keep.threshold ? keep.scale : 0.0f;
    sum[i] = residual[i] + factor * (x[i] + bias[i]);
  }
}

KDBENCH_SIMD void add_dropped_backward(int64_t width, const float* dsum, const uint32_t* words,
                                       Keep keep, float* dx, float* dbias) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float factor = words[i] >= keep.threshold ? keep.scale : 0.0f;
    const float d = factor * dsum[i];
    dx[i] = d;
    dbias[i] += d;
  }
}

KDBENCH_SIMD void drop(int64_t width, const float* in, const uint32_t* words, Keep keep,
                       float* out) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float factor = words[i] >= keep.threshold ? keep.scale : 0.0f;
    out[i] = factor * in[i];
  }
}

KDBENCH_SIMD void add_row(int64_t width, const float* x, float* sum) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) sum[i] += x[i];
}

KDBENCH_SIMD float normalize(int64_t width, const float* in, float eps, const float* gamma,
                             const float* beta, float* normalized, float* out) {
  const auto count = static_cast<float>(width);
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < width; ++i) sum += in[i];
  const float mean = sum / count;
  float squares = 0.0f;
#pragma omp simd reduction(+ : squares)
  for (int64_t i = 0; i < width; ++i) squares += (in[i] - mean) * (in[i] - mean);
  const float inverse_deviation = 1.0f / std::sqrt(squares / count + eps);
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float value = (in[i] - mean) * inverse_deviation;
    normalized[i] = value;
    out[i] = gamma[i] * value + beta[i];
  }
  return inverse_deviation;
}

KDBENCH_SIMD void normalize_backward(int64_t width, const float* dout, const float* normalized,
                                     float inverse_deviation, const float* gamma, float* din,
                                     float* dgamma, float* dbeta) {
  float sum = 0.0f, product = 0.0f;
#pragma omp simd reduction(+ : sum, product)
  for (int64_t i = 0; i < width; ++i) {
    const float d = dout[i] * gamma[i];
    sum += d;
    product += d * normalized[i];
    dgamma[i] += dout[i] * normalized[i];
    dbeta[i] += dout[i];
  }
  const float mean = sum / static_cast<float>(width);
  const float slope = product / static_cast<float>(width);
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    din[i] = inverse_deviation * (dout[i] * gamma[i] - mean - normalized[i] * slope);
  }
}

}  // namespace kdbench
