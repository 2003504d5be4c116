// SPDX-License-Identifier: MIT
#include "methods/ops/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// sum += dy^T x. In low precision a GPU writes the product in float32; on the CPU it is rounded
// once.
void add_weight_gradient(at::Tensor& sum, const at::Tensor& dy, const at::Tensor& x) {
  if (x.scalar_type() == sum.scalar_type()) {
    sum.addmm_(dy.t(), x);
  } else {
    sum.add_(dy.is_cuda() ? at::mm(dy.t(), x, at::kFloat) : at::mm(dy.t(), x));
  }
}

struct Linear : torch::autograd::Function<Linear> {
  // `rounded`: what is multiplied in place of the weight.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& rounded,
                            const std::optional<at::Tensor>& bias) {
    const at::Tensor used = rounded.value_or(weight);
    ctx->save_for_backward({x, weight, used, bias.value_or(at::Tensor())});
    return bias ? at::addmm(*bias, x, used.t()) : at::mm(x, used.t());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &used = saved[2], &bias = saved[3];
    const at::Tensor& dy = gradients[0];
    variable_list result(4);
    if (ctx->needs_input_grad(0)) result[0] = dy.mm(used);
    if (weight.requires_grad()) {
      ParameterGradient gradient(weight);
      add_weight_gradient(gradient.sum(), dy, x);
      result[1] = gradient.returned();
    }
    if (bias.defined() && bias.requires_grad()) {
      ParameterGradient gradient(bias);
      gradient.sum().add_(dy.sum(0));
      result[3] = gradient.returned();
    }
    return result;
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Linear::apply(x, weight, std::optional<at::Tensor>(),
                       bias.defined() ? std::optional(bias) : std::nullopt);
}

at::Tensor linear_rounded(const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& rounded) {
  return Linear::apply(x, weight, std::optional(rounded), std::optional<at::Tensor>());
}

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

}  // namespace kdbench
