// SPDX-License-Identifier: MIT
// Where a fused backward leaves a parameter's gradient: added straight into .grad() where a leaf
// has one (a view of the model's flat gradient buffer), without a temporary; otherwise returned to
// autograd as usual.
#pragma once

#include <ATen/ATen.h>

namespace kdbench {

class ParameterGradient {
 public:
  explicit ParameterGradient(const at::Tensor& parameter) {
    if (parameter.is_leaf() && parameter.requires_grad() && parameter.grad().defined()) {
      sum_ = parameter.grad();
    } else {
      sum_ = returned_ = at::zeros_like(parameter, at::MemoryFormat::Contiguous);
    }
  }

  // To be added to.
  at::Tensor& sum() { return sum_; }
  // What backward returns for this parameter: undefined when sum() already is its gradient.
  const at::Tensor& returned() const { return returned_; }

 private:
  at::Tensor sum_, returned_;
};

}  // namespace kdbench
