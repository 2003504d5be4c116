// SPDX-License-Identifier: MIT
#include "methods/ops/target_loss.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "methods/ops/fast_path.h"
#include "methods/ops/log_sum_rows.h"
#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// x W^T + b of some rows, in float32 or more.
at::Tensor scores_of(const at::Tensor& x, const at::Tensor& used, const at::Tensor& bias) {
  if (!is_low(x)) return bias.defined() ? at::addmm(bias, x, used.t()) : at::mm(x, used.t());
  at::Tensor scores = at::mm(x, used.t()).to(at::kFloat);
  return bias.defined() ? scores.add_(bias) : scores;
}

at::Tensor log_sums_of(const at::Tensor& scores) {
  if (!has_fast_path(scores)) return at::logsumexp(scores, 1);
  at::Tensor sums = at::empty({scores.size(0)}, scores.options());
  const int64_t width = scores.size(1);
  const float* from = scores.const_data_ptr<float>();
  float* to = sums.mutable_data_ptr<float>();
  at::parallel_for(0, scores.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) to[row] = log_sum_exp(width, from + row * width);
  });
  return sums;
}

// scores -> scale (softmax(scores) - one at the target), row by row, in place.
void to_gradients(at::Tensor& scores, const at::Tensor& log_sums, const at::Tensor& targets,
                  const at::Tensor& scale) {
  if (!has_fast_path(scores)) {
    scores.sub_(log_sums.unsqueeze(1)).exp_().mul_(scale.unsqueeze(1));
    scores.scatter_add_(1, targets.unsqueeze(1), scale.neg().unsqueeze(1));
    return;
  }
  const int64_t width = scores.size(1);
  const float *sums = log_sums.const_data_ptr<float>(), *scales = scale.const_data_ptr<float>();
  const int64_t* target = targets.const_data_ptr<int64_t>();
  float* data = scores.mutable_data_ptr<float>();
  at::parallel_for(0, scores.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      scaled_softmax(width, sums[row], scales[row], data + row * width);
      data[row * width + target[row]] -= scales[row];
    }
  });
}

// Calls f(first row, rows) for each chunk.
template <typename F>
void for_score_chunks(int64_t rows, int64_t vocabulary, const F& f) {
  const int64_t chunk = std::max<int64_t>(1, kChunkScores / vocabulary);
  for (int64_t row = 0; row < rows; row += chunk) f(row, std::min(chunk, rows - row));
}

struct TargetLoss : torch::autograd::Function<TargetLoss> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const at::Tensor& targets,
                            const std::optional<at::Tensor>& rounded) {
    const at::Tensor used = rounded.value_or(weight), shift = bias.value_or(at::Tensor());
    const auto type = is_low(x) ? at::kFloat : x.scalar_type();
    at::Tensor losses = at::empty({x.size(0)}, x.options().dtype(type));
    at::Tensor log_sums = at::empty_like(losses);
    for_score_chunks(x.size(0), weight.size(0), [&](int64_t row, int64_t rows) {
      const at::Tensor scores = scores_of(x.narrow(0, row, rows), used, shift);
      const at::Tensor sums = log_sums_of(scores);
      const at::Tensor index = targets.narrow(0, row, rows).unsqueeze(1);
      log_sums.narrow(0, row, rows).copy_(sums);
      losses.narrow(0, row, rows).copy_(sums - scores.gather(1, index).squeeze(1));
    });
    ctx->save_for_backward({x, weight, used, shift, targets, log_sums});
    return losses;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &used = saved[2], &bias = saved[3];
    const at::Tensor &targets = saved[4], &log_sums = saved[5];
    const at::Tensor scale = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(x);
    std::optional<ParameterGradient> dweight, dbias;
    if (weight.requires_grad()) dweight.emplace(weight);
    if (bias.defined() && bias.requires_grad()) dbias.emplace(bias);
    for_score_chunks(x.size(0), weight.size(0), [&](int64_t row, int64_t rows) {
      const at::Tensor part = x.narrow(0, row, rows);
      at::Tensor d = scores_of(part, used, bias);
      to_gradients(d, log_sums.narrow(0, row, rows), targets.narrow(0, row, rows),
                   scale.narrow(0, row, rows));
      if (dbias) dbias->sum().add_(d.sum(0));
      const at::Tensor dscores = d.to(x.scalar_type());
      at::Tensor into = dx.narrow(0, row, rows);
      at::mm_out(into, dscores, used);
      if (!dweight) return;
      if (is_low(x)) {
        dweight->sum().add_(at::mm(dscores.t(), part));
      } else {
        dweight->sum().addmm_(dscores.t(), part);
      }
    });
    return {dx,
            dweight ? dweight->returned() : at::Tensor(),
            dbias ? dbias->returned() : at::Tensor(),
            {},
            {}};
  }
};

std::optional<at::Tensor> optional(const at::Tensor& tensor) {
  return tensor.defined() ? std::optional(tensor) : std::nullopt;
}

}  // namespace

at::Tensor target_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                       const at::Tensor& targets, const at::Tensor& rounded) {
  RECORD_USER_SCOPE("target_loss");
  return TargetLoss::apply(x.contiguous(), weight, optional(bias), targets, optional(rounded));
}

at::Tensor target_loss_reference(const at::Tensor& x, const at::Tensor& weight,
                                 const at::Tensor& bias, const at::Tensor& targets) {
  const at::Tensor scores = at::linear(x, weight, bias);
  return at::log_softmax(scores, 1).gather(1, targets.unsqueeze(1)).squeeze(1).neg();
}

}  // namespace kdbench
