// SPDX-License-Identifier: MIT
// exp and what is made of it, for loops that the compiler vectorises. Always inlined: a loop
// compiled for several instruction sets must not call code that is compiled for one.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

namespace kdbench {

// exp(x) for x <= 88 to about 1 ulp; 0 below -87, where numbers would soon be denormal: those are
// an order of magnitude slower in all that is computed with them. x = n log 2 + r with |r| <=
// log(2) / 2, exp(r) by a polynomial that interpolates at Chebyshev nodes, 2^n by its exponent
// bits.
[[gnu::always_inline]] inline float fast_exp(float x) {
  constexpr float kRound =
      12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  constexpr float kLog2High = 0.693359375f, kLog2Low = -2.12194440e-4f;
  constexpr float kLeast = -87.0f;
  const float bounded = std::max(x, kLeast);
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
  const float value = sum * std::bit_cast<float>((exponent + 127) << 23);
  return x < kLeast ? 0.0f : value;
}

// 1 / (1 + exp(-x)) to about 2 ulp.
[[gnu::always_inline]] inline float fast_sigmoid(float x) {
  const float small = fast_exp(-std::abs(x));
  return (x >= 0.0f ? 1.0f : small) / (1.0f + small);
}

// tanh(x) to about 2 ulp: near 0, where 1 - exp(-2x) loses digits, by the first terms of its
// series.
[[gnu::always_inline]] inline float fast_tanh(float x) {
  constexpr float kNear = 0.3f;
  const float size = std::abs(x), small = fast_exp(-2.0f * size);
  const float far = std::copysign((1.0f - small) / (1.0f + small), x);
  const float y = x * x;
  float sum = 62.0f / 2835.0f;
  sum = sum * y - 17.0f / 315.0f;
  sum = sum * y + 2.0f / 15.0f;
  sum = sum * y - 1.0f / 3.0f;
  const float near = x + x * (y * sum);
  return size < kNear ? near : far;
}

}  // namespace kdbench
