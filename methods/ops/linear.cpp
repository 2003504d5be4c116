// SPDX-License-Identifier: MIT
#include "methods/ops/linear.h"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// How a weight's matrix stands in memory.
enum class Order { kOutIn, kInOut };

// sum += a^T b. In low precision a GPU writes the product in float32; on the CPU it is rounded
// once.
void add_weight_gradient(at::Tensor& sum, const at::Tensor& a, const at::Tensor& b) {
  if (b.scalar_type() == sum.scalar_type()) {
    sum.addmm_(a.t(), b);
  } else {
    sum.add_(a.is_cuda() ? at::mm(a.t(), b, at::kFloat) : at::mm(a.t(), b));
  }
}

struct Linear : torch::autograd::Function<Linear> {
  // `rounded`: what is multiplied in place of the weight.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& weight,
                            const std::optional<at::Tensor>& rounded,
                            const std::optional<at::Tensor>& bias, Order order) {
    const at::Tensor used = rounded.value_or(weight);
    ctx->save_for_backward({x, weight, used, bias.value_or(at::Tensor())});
    ctx->saved_data["in_out"] = order == Order::kInOut;
    const at::Tensor in_out = order == Order::kInOut ? used : used.t();
    return bias ? at::addmm(*bias, x, in_out) : at::mm(x, in_out);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const variable_list saved = ctx->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &used = saved[2], &bias = saved[3];
    const at::Tensor& dy = gradients[0];
    const bool in_out = ctx->saved_data["in_out"].toBool();
    variable_list result(5);
    if (ctx->needs_input_grad(0)) result[0] = dy.mm(in_out ? used.t() : used);
    if (weight.requires_grad()) {
      ParameterGradient gradient(weight);
      if (in_out) {
        add_weight_gradient(gradient.sum(), x, dy);
      } else {
        add_weight_gradient(gradient.sum(), dy, x);
      }
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
                       bias.defined() ? std::optional(bias) : std::nullopt, Order::kOutIn);
}

at::Tensor linear_rounded(const at::Tensor& x, const at::Tensor& weight,
                          const at::Tensor& rounded) {
  return Linear::apply(x, weight, std::optional(rounded), std::optional<at::Tensor>(),
                       Order::kOutIn);
}

at::Tensor linear_in_out(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& rounded) {
  return Linear::apply(x, weight, rounded.defined() ? std::optional(rounded) : std::nullopt,
                       std::optional<at::Tensor>(), Order::kInOut);
}

at::Tensor linear_reference(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return at::linear(x, weight, bias);
}

}  // namespace kdbench
