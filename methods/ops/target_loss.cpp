// SPDX-License-Identifier: MIT
#include "methods/ops/target_loss.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

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

// Rows of the weight that are multiplied at once: on the CPU as many as stay in its cache.
struct Block {
  int64_t first, size;

  at::Tensor of(const at::Tensor& rows) const {
    return rows.defined() ? rows.narrow(0, first, size) : rows;
  }
};

std::vector<Block> blocks_of(const at::Tensor& x, int64_t vocabulary) {
  const int64_t most =
      x.is_cpu() ? kBlockWeights / x.size(1) : kChunkScores / std::max<int64_t>(1, x.size(0));
  const int64_t size = std::max<int64_t>(1, most);
  std::vector<Block> blocks;
  for (int64_t first = 0; first < vocabulary; first += size)
    blocks.push_back({first, std::min(size, vocabulary - first)});
  return blocks;
}

// The targets' places in a block: (n, 1), and whether they have one there.
struct TargetPlaces {
  at::Tensor column, inside;
};

TargetPlaces places_in(const Block& block, const at::Tensor& targets) {
  const at::Tensor column = (targets - block.first).unsqueeze(1);
  return {column.clamp(0, block.size - 1), column.ge(0).logical_and(column.lt(block.size))};
}

// scores of a block -> scale (softmax - one at the target), row by row, in place.
void to_gradients(at::Tensor& scores, const Block& block, const at::Tensor& log_sums,
                  const at::Tensor& targets, const at::Tensor& scale) {
  if (!has_fast_path(scores)) {
    scores.sub_(log_sums.unsqueeze(1)).exp_().mul_(scale.unsqueeze(1));
    const TargetPlaces places = places_in(block, targets);
    scores.scatter_add_(1, places.column,
                        at::where(places.inside, scale.neg().unsqueeze(1), 0.0).to(scores.dtype()));
    return;
  }
  const int64_t width = scores.size(1);
  const float *sums = log_sums.const_data_ptr<float>(), *scales = scale.const_data_ptr<float>();
  const int64_t* target = targets.const_data_ptr<int64_t>();
  float* data = scores.mutable_data_ptr<float>();
  at::parallel_for(0, scores.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      scaled_softmax(width, sums[row], scales[row], data + row * width);
      const int64_t column = target[row] - block.first;
      if (column >= 0 && column < width) data[row * width + column] -= scales[row];
    }
  });
}

// sum += a b, of which the sum may have the wider type.
void add_product(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() == sum.scalar_type()) {
    sum.addmm_(a, b);
  } else {
    sum.add_(at::mm(a, b));
  }
}

struct TargetLoss : torch::autograd::Function<TargetLoss> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias, const at::Tensor& targets,
                            const std::optional<at::Tensor>& rounded) {
    const at::Tensor used = rounded.value_or(weight), shift = bias.value_or(at::Tensor());
    const auto type = is_low(x) ? at::kFloat : x.scalar_type();
    at::Tensor log_sums = at::full({x.size(0)}, -INFINITY, x.options().dtype(type));
    at::Tensor told = at::zeros_like(log_sums);
    for (const Block& block : blocks_of(x, weight.size(0))) {
      const at::Tensor scores = scores_of(x, block.of(used), block.of(shift));
      log_sums = at::logaddexp(log_sums, log_sums_of(scores));
      const TargetPlaces places = places_in(block, targets);
      told += at::where(places.inside, scores.gather(1, places.column), 0.0).squeeze(1);
    }
    ctx->save_for_backward({x, weight, used, shift, targets, log_sums});
    return log_sums - told;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &used = saved[2], &bias = saved[3];
    const at::Tensor &targets = saved[4], &log_sums = saved[5];
    const at::Tensor scale = gradients[0].contiguous();
    at::Tensor dx = at::zeros(x.sizes(), log_sums.options());  // float32 of low precision
    std::optional<ParameterGradient> dweight, dbias;
    if (weight.requires_grad()) dweight.emplace(weight);
    if (bias.defined() && bias.requires_grad()) dbias.emplace(bias);
    for (const Block& block : blocks_of(x, weight.size(0))) {
      at::Tensor d = scores_of(x, block.of(used), block.of(bias));
      to_gradients(d, block, log_sums, targets, scale);
      if (dbias) block.of(dbias->sum()).add_(d.sum(0));
      const at::Tensor dscores = d.to(x.scalar_type());
      add_product(dx, dscores, block.of(used));
      if (!dweight) continue;
      at::Tensor sum = block.of(dweight->sum());
      add_product(sum, dscores.t(), x);
    }
    return {dx.to(x.scalar_type()),
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
