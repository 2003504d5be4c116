// SPDX-License-Identifier: MIT
#include "methods/ops/dropout_add_then_norm.h"

#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "methods/ops/chunks.h"
#include "methods/ops/dropout_words.h"
#include "methods/ops/fast_path.h"
#include "methods/ops/function_state.h"
#include "methods/ops/parameter_gradient.h"
#include "methods/ops/row_kernels.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct SumSite {
  Dropout dropout;
  TokenRows rows;
};

struct DropoutAddThenNorm : torch::autograd::Function<DropoutAddThenNorm> {
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& bias,
                               const at::Tensor& residual, const at::Tensor& gamma,
                               const at::Tensor& beta, double eps, const SumSite& site) {
    const int64_t tokens = x.size(0), width = x.size(1);
    at::Tensor sum = at::empty_like(x), y = at::empty_like(x), normalized = at::empty_like(x);
    at::Tensor inverse_deviation = at::empty({tokens}, x.options());
    const float *in = x.const_data_ptr<float>(), *skip = residual.const_data_ptr<float>();
    const float *shift = bias.const_data_ptr<float>(), *scale = gamma.const_data_ptr<float>();
    const float* offset = beta.const_data_ptr<float>();
    float *total = sum.mutable_data_ptr<float>(), *out = y.mutable_data_ptr<float>();
    float* hat = normalized.mutable_data_ptr<float>();
    float* deviations = inverse_deviation.mutable_data_ptr<float>();
    for_token_chunks(tokens, [&](int64_t, int64_t begin, int64_t end) {
      TokenWords words(site.dropout, site.rows, width);
      for (int64_t t = begin; t < end; ++t) {
        const int64_t at = t * width;
        add_dropped(width, in + at, shift, skip + at, words.of(t), words.keep(), total + at);
        deviations[t] = normalize(width, total + at, static_cast<float>(eps), scale, offset,
                                  hat + at, out + at);
      }
    });
    ctx->save_for_backward({normalized, inverse_deviation, bias, gamma, beta});
    save_state(ctx, site);
    return {sum, y};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &normalized = saved[0], dy = gradients[1].contiguous();
    const at::Tensor dsum = gradients[0].contiguous();
    const auto site = saved_state<SumSite>(ctx);
    const int64_t tokens = dy.size(0), width = dy.size(1);
    at::Tensor dx = at::empty_like(dy), dresidual = at::empty_like(dy);
    at::Tensor sums = chunk_sums(tokens, 3 * width);  // of dbias, dgamma, dbeta
    const float *dout = dy.const_data_ptr<float>(), *dtotal = dsum.const_data_ptr<float>();
    const float *hat = normalized.const_data_ptr<float>(),
                *scale = saved[3].const_data_ptr<float>();
    const float* deviations = saved[1].const_data_ptr<float>();
    float *din = dx.mutable_data_ptr<float>(), *dskip = dresidual.mutable_data_ptr<float>();
    float* sum_data = sums.mutable_data_ptr<float>();
    for_token_chunks(tokens, [&](int64_t chunk, int64_t begin, int64_t end) {
      TokenWords words(site.dropout, site.rows, width);
      float *dbias = sum_data + chunk * 3 * width, *dgamma = dbias + width, *dbeta = dgamma + width;
      for (int64_t t = begin; t < end; ++t) {
        const int64_t at = t * width;
        normalize_backward(width, dout + at, hat + at, deviations[t], scale, dskip + at, dgamma,
                           dbeta);
        add_row(width, dtotal + at, dskip + at);
        add_dropped_backward(width, dskip + at, words.of(t), words.keep(), din + at, dbias);
      }
    });
    const at::Tensor total = sums.sum(0);
    variable_list result{dx, {}, dresidual, {}, {}, {}, {}};
    for (const auto& [parameter, index] : {std::pair(2, 1), std::pair(3, 3), std::pair(4, 4)}) {
      ParameterGradient gradient(saved[parameter]);
      gradient.sum().add_(total.narrow(0, (parameter - 2) * width, width));
      result[index] = gradient.returned();
    }
    return result;
  }
};

}  // namespace

NormedSum dropout_add_then_norm(const at::Tensor& x, const at::Tensor& bias,
                                const at::Tensor& residual, const LayerNormParameters& norm,
                                const Dropout& dropout, const TokenRows& rows) {
  RECORD_USER_SCOPE("dropout_add_then_norm");
  if (!has_fast_path(x))
    return dropout_add_then_norm_reference(x, bias, residual, norm, dropout, rows);
  const variable_list both =
      DropoutAddThenNorm::apply(x.contiguous(), bias, residual.contiguous(), norm.gamma, norm.beta,
                                norm.eps, SumSite{dropout, rows});
  return {both[0], both[1]};
}

NormedSum dropout_add_then_norm_reference(const at::Tensor& x, const at::Tensor& bias,
                                          const at::Tensor& residual,
                                          const LayerNormParameters& norm, const Dropout& dropout,
                                          const TokenRows& rows) {
  const at::Tensor sum = residual + kdbench::dropout(x + bias, dropout, rows);
  return {sum, at::layer_norm(sum, {x.size(1)}, norm.gamma, norm.beta, norm.eps)};
}

}  // namespace kdbench
