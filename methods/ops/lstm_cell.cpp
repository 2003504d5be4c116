// SPDX-License-Identifier: MIT
#include "methods/ops/lstm_cell.h"

#include "methods/ops/fast_exp.h"
#include "methods/ops/simd.h"

namespace kdbench {

KDBENCH_SIMD void lstm_cell(int64_t width, float* __restrict gates, const float* __restrict before,
                            float* __restrict cell, float* __restrict state) {
  float *in = gates, *forget = gates + width, *fresh = forget + width, *out = fresh + width;
#pragma omp simd
  for (int64_t h = 0; h < width; ++h) {
    const float i = fast_sigmoid(in[h]), f = fast_sigmoid(forget[h]);
    const float g = fast_tanh(fresh[h]), o = fast_sigmoid(out[h]);
    const float c = f * before[h] + i * g;
    in[h] = i;
    forget[h] = f;
    fresh[h] = g;
    out[h] = o;
    cell[h] = c;
    state[h] = o * fast_tanh(c);
  }
}

KDBENCH_SIMD void lstm_cell_backward(int64_t width, float* __restrict gates,
                                     const float* __restrict before, const float* __restrict cell,
                                     const float* __restrict dstate,
                                     const float* __restrict dstate_next, float* __restrict dcell) {
  float *in = gates, *forget = gates + width, *fresh = forget + width, *out = fresh + width;
#pragma omp simd
  for (int64_t h = 0; h < width; ++h) {
    const float i = in[h], f = forget[h], g = fresh[h], o = out[h];
    const float t = fast_tanh(cell[h]), dh = dstate[h] + dstate_next[h];
    const float dc = dcell[h] + dh * o * (1.0f - t * t);
    in[h] = dc * g * i * (1.0f - i);
    forget[h] = dc * before[h] * f * (1.0f - f);
    fresh[h] = dc * i * (1.0f - g * g);
    out[h] = dh * t * o * (1.0f - o);
    dcell[h] = dc * f;
  }
}

}  // namespace kdbench
