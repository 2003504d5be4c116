// SPDX-License-Identifier: MIT
#include "methods/ops/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Linear : torch::autograd::Function<Linear> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
    ctx->save_for_backward({x, weight, bias.value_or(at::Tensor())});
    return bias ? at::addmm(*bias, x, weight.t()) : at::mm(x, weight.t());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &dy = gradients[0];
    variable_list result(3);
    if (ctx->needs_input_grad(0)) result[0] = dy.mm(weight);
    if (weight.requires_grad()) {
      ParameterGradient gradient(weight);
      gradient.sum().addmm_(dy.t(), x);
      result[1] = gradient.returned();
    }
    if (bias.defined() && bias.requires_grad()) {
      ParameterGradient gradient(bias);
      gradient.sum().add_(dy.sum(0));
      result[2] = gradient.returned();
    }
    return result;
  }
};

// dy^T x in float32. On a GPU the product is written in float32; on the CPU rounded once.
at::Tensor weight_gradient(const at::Tensor& dy, const at::Tensor& x) {
  return dy.is_cuda() ? at::mm(dy.t(), x, at::kFloat) : at::mm(dy.t(), x);
}

struct LinearRounded : torch::autograd::Function<LinearRounded> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& rounded) {
    ctx->save_for_backward({x, weight, rounded});
    return at::mm(x, rounded.t());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &rounded = saved[2], &dy = gradients[0];
    variable_list result(3);
    if (ctx->needs_input_grad(0)) result[0] = dy.mm(rounded);
    if (weight.requires_grad()) {
      ParameterGradient gradient(weight);
      gradient.sum().add_(weight_gradient(dy, x));
      result[1] = gradient.returned();
    }
    return result;
  }
};

}  // namespace

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Linear::apply(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

at::Tensor linear_rounded(const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& rounded) {
  return LinearRounded::apply(x, weight, rounded);
}

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

}  // namespace kdbench
