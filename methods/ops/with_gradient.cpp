// SPDX-License-Identifier: MIT
#include "methods/ops/with_gradient.h"

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "methods/ops/function_state.h"
#include "methods/ops/parameter_gradient.h"

namespace kdbench {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct WithGradient : torch::autograd::Function<WithGradient> {
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& input, double value,
                            const AddGradient& add) {
    ctx->save_for_backward({input});
    save_state(ctx, add);
    return at::full({}, value, input.options());
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    const at::Tensor input = ctx->get_saved_variables()[0];
    ParameterGradient gradient(input);
    saved_state<AddGradient>(ctx)(gradient.sum(), gradients[0].item<double>());
    return {gradient.returned(), {}, {}};
  }
};

}  // namespace

at::Tensor with_gradient(double value, const at::Tensor& input, AddGradient add) {
  return WithGradient::apply(input, value, std::move(add));
}

}  // namespace kdbench
