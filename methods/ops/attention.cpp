// SPDX-License-Identifier: MIT
#include "methods/ops/attention.h"

#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "methods/ops/attention_head.h"
#include "methods/ops/fast_path.h"
#include "methods/ops/function_state.h"
#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Heads {
  TokenRows rows;
  int64_t count = 0;
  Dropout dropout;
  Seen seen = Seen::kRow;

  Keep keep() const {
    if (!dropout.active()) return {};
    return {dropout.threshold(), static_cast<float>(dropout.scale())};
  }
};

// One head of one row.
struct HeadPart {
  HeadView view;
  PhiloxStream stream;
  int64_t row = 0;
  int64_t channel = 0;  // of the head's first channel in a row of H
  int64_t context = 0;  // where the head's first query lies in a (T, H) matrix
  int64_t qkv = 0;      // and in a (T, 3 H) matrix
};

HeadPart head_part(const Heads& heads, int64_t row, int64_t head, int64_t width) {
  const int64_t* offsets = heads.rows.offsets.const_data_ptr<int64_t>();
  HeadPart part;
  part.row = row;
  part.view.length = offsets[row + 1] - offsets[row];
  part.view.size = width / heads.count;
  part.view.width = width;
  part.view.causal = heads.seen == Seen::kBefore;
  part.channel = head * part.view.size;
  part.context = offsets[row] * width + part.channel;
  part.qkv = offsets[row] * 3 * width + part.channel;
  part.stream = heads.dropout.stream(heads.rows.row_ids.const_data_ptr<int64_t>()[row],
                                     head * philox_blocks(part.view.length * part.view.length));
  return part;
}

// Calls f(work, part) for each head of each row, with an AttentionHead of the calling thread. Heads
// of a row follow each other: they share its cache lines. Threads get equal shares of length^2.
template <typename F>
void for_each_head(const Heads& heads, const at::Tensor& qkv, const at::Tensor& bias,
                   float* log_sums, const F& f) {
  const int64_t rows = heads.rows.rows(), tokens = qkv.size(0), width = qkv.size(1) / 3;
  const int64_t* offsets = heads.rows.offsets.const_data_ptr<int64_t>();
  const float *data = qkv.const_data_ptr<float>(), *shift = bias.const_data_ptr<float>();
  int64_t total = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = offsets[row + 1] - offsets[row];
    total += heads.count * length * length;
  }
  at::parallel_for(0, total, 1, [&](int64_t begin, int64_t end) {
    AttentionHead work;
    int64_t position = 0;  // in the work of all heads
    for (int64_t pair = 0; pair < rows * heads.count && position < end; ++pair) {
      HeadPart part = head_part(heads, pair / heads.count, pair % heads.count, width);
      const int64_t start = std::exchange(position, position + part.view.length * part.view.length);
      if (start < begin) continue;
      part.view.qkv = data + part.qkv;
      part.view.bias = shift + part.channel;
      part.view.log_sums = log_sums + pair % heads.count * tokens + offsets[part.row];
      f(work, part);
    }
  });
}

struct Attention : torch::autograd::Function<Attention> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& qkv, const at::Tensor& bias,
                            const Heads& heads) {
    at::Tensor context = at::empty({qkv.size(0), qkv.size(1) / 3}, qkv.options());
    at::Tensor log_sums = at::empty({heads.count, qkv.size(0)}, qkv.options());
    float* out = context.mutable_data_ptr<float>();
    for_each_head(heads, qkv, bias, log_sums.mutable_data_ptr<float>(),
                  [&](AttentionHead& work, const HeadPart& part) {
                    work.forward(part.view, part.stream, heads.keep(), out + part.context);
                  });
    ctx->save_for_backward({qkv, bias, log_sums});
    save_state(ctx, heads);
    return context;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &qkv = saved[0], &bias = saved[1], dcontext = gradients[0].contiguous();
    at::Tensor log_sums = saved[2];
    const auto heads = saved_state<Heads>(ctx);
    const int64_t width3 = qkv.size(1);
    at::Tensor dqkv = at::empty_like(qkv);
    // Of each row: their sum does not depend on the number of threads.
    at::Tensor bias_sums = at::zeros({heads.rows.rows(), width3}, qkv.options());
    const float* dout = dcontext.const_data_ptr<float>();
    float *din = dqkv.mutable_data_ptr<float>(), *sums = bias_sums.mutable_data_ptr<float>();
    for_each_head(heads, qkv, bias, log_sums.mutable_data_ptr<float>(),
                  [&](AttentionHead& work, const HeadPart& part) {
                    work.backward(part.view, part.stream, heads.keep(), dout + part.context,
                                  din + part.qkv, sums + part.row * width3 + part.channel);
                  });
    ParameterGradient gradient(bias);
    gradient.sum().add_(bias_sums.sum(0));
    return {dqkv, gradient.returned(), {}};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const at::Tensor& bias, const TokenRows& rows,
                     int64_t heads, const Dropout& dropout, Seen seen) {
  RECORD_USER_SCOPE("attention");
  if (is_low(qkv))
    return attention(qkv.to(at::kFloat), bias, rows, heads, dropout, seen).to(qkv.scalar_type());
  if (!has_fast_path(qkv))
    return attention_reference(qkv, bias, rows, heads, dropout, seen).context;
  return Attention::apply(qkv.contiguous(), bias, Heads{rows, heads, dropout, seen});
}

}  // namespace kdbench
