// SPDX-License-Identifier: MIT
// A loss that was computed together with what its gradient needs: nothing is recorded on the way,
// and backward adds the gradient where it belongs (a parameter's: straight into its .grad()).
#pragma once

#include <ATen/ATen.h>

#include <functional>

namespace kdbench {

// Adds scale * d loss / d input to `sum`, which has the input's shape.
using AddGradient = std::function<void(at::Tensor& sum, double scale)>;

// `value` as a 0-dimensional tensor of input's type, whose gradient with respect to `input` is what
// `add` adds.
at::Tensor with_gradient(double value, const at::Tensor& input, AddGradient add);

}  // namespace kdbench
