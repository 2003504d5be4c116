// SPDX-License-Identifier: MIT
// Vectorised float32 loops over one token's `width` channels: what the fused LayerNorm operations
// are made of. `words` are the token's random words; threshold 0 keeps everything (scale is then
// 1).
#pragma once

#include <cstdint>

namespace kdbench {

struct Keep {
  uint32_t threshold = 0;
  float scale = 1.0f;
};

// sum = residual + dropout(x + bias).
void add_dropped(int64_t width, const float* x, const float* bias, const float* residual,
                 const uint32_t* words, Keep keep, float* sum);
// dx = dropout's mask applied to dsum; adds dx to dbias.
void add_dropped_backward(int64_t width, const float* dsum, const uint32_t* words, Keep keep,
                          float* dx, float* dbias);
// out = dropout(in). May be in place.
void drop(int64_t width, const float* in, const uint32_t* words, Keep keep, float* out);

// sum += x.
void add_row(int64_t width, const float* x, float* sum);

// normalized = (in - mean) / sqrt(var + eps), out = gamma normalized + beta; returns 1 / sqrt(var +
// eps). `in` may be `normalized`.
float normalize(int64_t width, const float* in, float eps, const float* gamma, const float* beta,
                float* normalized, float* out);
// din of normalize for dout; adds to dgamma and dbeta. May be in place.
void normalize_backward(int64_t width, const float* dout, const float* normalized,
                        float inverse_deviation, const float* gamma, float* din, float* dgamma,
                        float* dbeta);

}  // namespace kdbench
