// SPDX-License-Identifier: MIT
#include "methods/ops/bias_gelu.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "methods/ops/chunks.h"
#include "methods/ops/fast_exp.h"
#include "methods/ops/fast_path.h"
#include "methods/ops/parameter_gradient.h"
#include "methods/ops/simd.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Phi(x) and gelu'(x) = Phi(x) + x phi(x) are both 1/2 + x p(x^2). The polynomials interpolate p at
// Chebyshev nodes of x^2 in [0, kLimit^2], in powers of v = 2 x^2 / kLimit^2 - 1; beyond, Phi is 0
// or 1 to float32.
constexpr float kLimit = 5.5f;
constexpr std::array<float, 17> kDistribution = {
    1.285519330e-01f,  -6.417231467e-02f, 4.773733464e-02f,  -3.879379390e-02f, 3.207690945e-02f,
    -2.603615149e-02f, 2.030731692e-02f,  -1.506252402e-02f, 1.046863701e-02f,  -6.650678363e-03f,
    4.074129638e-03f,  -2.658702367e-03f, 1.407426486e-03f,  -3.567546207e-04f, 1.839166571e-04f,
    -2.856763161e-04f, 1.180799975e-04f};
constexpr std::array<float, 17> kDerivative = {
    1.287592166e-01f,  -6.573959890e-02f, 5.366413533e-02f,  -5.374856643e-02f, 6.034012546e-02f,
    -6.858412463e-02f, 7.402069784e-02f,  -7.435018829e-02f, 6.617926757e-02f,  -4.926965144e-02f,
    3.701883911e-02f,  -3.323758839e-02f, 1.983454583e-02f,  -2.537024944e-03f, 1.881005479e-03f,
    -6.020921638e-03f, 2.699041165e-03f};

inline float half_plus_odd(const std::array<float, 17>& polynomial, float x) {
  const float bounded = std::min(std::max(x, -kLimit), kLimit);
  const float v = bounded * bounded * (2.0f / (kLimit * kLimit)) - 1.0f;
  float sum = polynomial[16];
#pragma GCC unroll 16
  for (int i = 15; i >= 0; --i) sum = sum * v + polynomial[i];
  return 0.5f + bounded * sum;
}

KDBENCH_SIMD void gelu_row(int64_t width, const float* x, const float* bias, float* y) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float z = x[i] + bias[i];
    y[i] = z * half_plus_odd(kDistribution, z);
  }
}

// dx = dy gelu'(x + b); adds dx to dbias.
KDBENCH_SIMD void gelu_row_backward(int64_t width, const float* x, const float* bias,
                                    const float* dy, float* dx, float* dbias) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float d = dy[i] * half_plus_odd(kDerivative, x[i] + bias[i]);
    dx[i] = d;
    dbias[i] += d;
  }
}

// By tanh the gelu is x sigmoid(2 u), u = kSlope (x + kCube x^3).
constexpr float kSlope = 0.79788456f, kCube = 0.044715f;

[[gnu::always_inline]] inline float gelu_tanh(float x) {
  return x * fast_sigmoid(2.0f * kSlope * (x + kCube * x * x * x));
}

KDBENCH_SIMD void gelu_tanh_row(int64_t width, const float* x, const float* bias, float* y) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) y[i] = gelu_tanh(x[i] + bias[i]);
}

KDBENCH_SIMD void gelu_tanh_row_backward(int64_t width, const float* x, const float* bias,
                                         const float* dy, float* dx, float* dbias) {
#pragma omp simd
  for (int64_t i = 0; i < width; ++i) {
    const float z = x[i] + bias[i];
    const float u = 2.0f * kSlope * (z + kCube * z * z * z), small = fast_exp(-std::abs(u));
    const float s = (u >= 0.0f ? 1.0f : small) / (1.0f + small);
    const float s_slope = small / ((1.0f + small) * (1.0f + small));
    const float u_slope = 2.0f * kSlope * (1.0f + 3.0f * kCube * z * z);
    const float d = dy[i] * (s + z * s_slope * u_slope);
    dx[i] = d;
    dbias[i] += d;
  }
}

struct BiasGelu : torch::autograd::Function<BiasGelu> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& bias,
                            Gelu gelu) {
    ctx->save_for_backward({x, bias});
    ctx->saved_data["tanh"] = gelu == Gelu::kTanh;
    at::Tensor y = at::empty_like(x);
    const int64_t width = x.size(1);
    const float *in = x.const_data_ptr<float>(), *shift = bias.const_data_ptr<float>();
    float* out = y.mutable_data_ptr<float>();
    for_token_chunks(x.size(0), [&](int64_t, int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        if (gelu == Gelu::kTanh) {
          gelu_tanh_row(width, in + t * width, shift, out + t * width);
        } else {
          gelu_row(width, in + t * width, shift, out + t * width);
        }
      }
    });
    return y;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &bias = saved[1], dy = gradients[0].contiguous();
    const int64_t width = x.size(1);
    const bool tanh = ctx->saved_data["tanh"].toBool();
    at::Tensor dx = at::empty_like(x), sums = chunk_sums(x.size(0), width);
    const float *in = x.const_data_ptr<float>(), *shift = bias.const_data_ptr<float>();
    const float* dout = dy.const_data_ptr<float>();
    float *din = dx.mutable_data_ptr<float>(), *dbias = sums.mutable_data_ptr<float>();
    for_token_chunks(x.size(0), [&](int64_t chunk, int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t at = t * width;
        if (tanh) {
          gelu_tanh_row_backward(width, in + at, shift, dout + at, din + at, dbias + chunk * width);
        } else {
          gelu_row_backward(width, in + at, shift, dout + at, din + at, dbias + chunk * width);
        }
      }
    });
    ParameterGradient gradient(bias);
    gradient.sum().add_(sums.sum(0));
    return {dx, gradient.returned(), {}};
  }
};

}  // namespace

at::Tensor bias_gelu(const at::Tensor& x, const at::Tensor& bias, Gelu gelu) {
  RECORD_USER_SCOPE("bias_gelu");
  if (is_low(x)) return bias_gelu(x.to(at::kFloat), bias, gelu).to(x.scalar_type());
  return has_fast_path(x) ? BiasGelu::apply(x.contiguous(), bias, gelu)
                          : bias_gelu_reference(x, bias, gelu);
}

at::Tensor bias_gelu_reference(const at::Tensor& x, const at::Tensor& bias, Gelu gelu) {
  return at::gelu(x + bias, gelu == Gelu::kTanh ? "tanh" : "none");
}

void gelu_tanh_row(int64_t width, const float* bias, float* x) { gelu_tanh_row(width, x, bias, x); }

}  // namespace kdbench
