// SPDX-License-Identifier: MIT
#include "methods/ops/attention.h"

#include <torch/torch.h>

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

  Keep keep() const {
    if (!dropout.active()) return {};
    return {dropout.threshold(), static_cast<float>(dropout.scale())};
  }
};

// Calls f(work, row, head, view, stream) for each row and head, with an AttentionHead of the calling thread. Pairs go head by
// head: neighbours in that order are rows of all lengths, so that equal shares of pairs are equal work.
template <typename F>
void for_each_head(const Heads& heads, const at::Tensor& qkv, const at::Tensor& bias,
                   float* log_sums, const F& f) {
  const int64_t rows = heads.rows.rows(), tokens = qkv.size(0), width = qkv.size(1) / 3;
  const int64_t size = width / heads.count;
  const int64_t* offsets = heads.rows.offsets.const_data_ptr<int64_t>();
  const int64_t* row_ids = heads.rows.row_ids.const_data_ptr<int64_t>();
  const float *data = qkv.const_data_ptr<float>(), *shift = bias.const_data_ptr<float>();
  at::parallel_for(0, rows * heads.count, 1, [&](int64_t begin, int64_t end) {
    AttentionHead work;
    for (int64_t pair = begin; pair < end; ++pair) {
      const int64_t head = pair / rows, row = pair % rows, start = offsets[row];
      HeadView view;
      view.length = offsets[row + 1] - start;
      view.size = size;
      view.width = width;
      view.qkv = data + start * 3 * width + head * size;
      view.bias = shift + head * size;
      view.log_sums = log_sums + head * tokens + start;
      const int64_t blocks = philox_blocks(view.length * view.length);
      const auto stream = heads.dropout.stream(row_ids[row], head * blocks);
      f(work, row, start * width + head * size, head * size, view, stream);
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
                  [&](AttentionHead& work, int64_t, int64_t at, int64_t, const HeadView& view,
                      const PhiloxStream& stream) {
                    work.forward(view, stream, heads.keep(), out + at);
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
                  [&](AttentionHead& work, int64_t row, int64_t at, int64_t channel,
                      const HeadView& view, const PhiloxStream& stream) {
                    work.backward(view, stream, heads.keep(), dout + at,
                                  din + (view.qkv - qkv.const_data_ptr<float>()),
                                  sums + row * width3 + channel);
                  });
    ParameterGradient gradient(bias);
    gradient.sum().add_(bias_sums.sum(0));
    return {dqkv, gradient.returned(), {}};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& qkv, const at::Tensor& bias, const TokenRows& rows,
                     int64_t heads, const Dropout& dropout) {
  if (!has_fast_path(qkv)) return attention_reference(qkv, bias, rows, heads, dropout).context;
  return Attention::apply(qkv.contiguous(), bias, Heads{rows, heads, dropout});
}

}  // namespace kdbench
