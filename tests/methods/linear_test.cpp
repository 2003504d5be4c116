// SPDX-License-Identifier: MIT
#include "methods/ops/linear.h"

#include "tests/methods/op_check.h"

namespace kdbench::linear_test {
namespace {

using testing::numbers;
using testing::Tensors;

at::Tensor fast(const Tensors& in) {
  return kdbench::linear(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor());
}
at::Tensor plain(const Tensors& in) {
  return linear_reference(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor());
}

TEST(Linear, EqualsItsReference) {
  for (const int64_t tokens : {0, 1, 7, 33}) {
    const Tensors inputs = {numbers({tokens, 12}), numbers({20, 12}, 1), numbers({20}, 2)};
    testing::expect_same(fast, plain, inputs, 1e-6);
    testing::expect_same(fast, plain, {inputs[0], inputs[1]}, 1e-6);
  }
}

TEST(Linear, ReferenceDifferentiates) {
  testing::expect_differentiates(plain, {numbers({5, 6}), numbers({4, 6}, 1), numbers({4}, 2)});
}

TEST(Linear, AddsIntoTheGradientItFinds) {
  at::Tensor weight = numbers({4, 3}).set_requires_grad(true);
  const at::Tensor buffer = at::ones({12});
  weight.mutable_grad() = buffer.view({4, 3});
  const at::Tensor x = numbers({5, 3}, 1);
  kdbench::linear(x, weight).sum().backward();
  EXPECT_TRUE(weight.grad().is_alias_of(buffer));
  testing::expect_close(buffer.view({4, 3}), 1 + x.sum(0).expand({4, 3}), 1e-6, "gradient");
}

TEST(Linear, WeightsOfOtherOperationsGetTheirGradientThroughAutograd) {
  at::Tensor base = numbers({4, 3}).set_requires_grad(true);
  const at::Tensor x = numbers({5, 3}, 1);
  kdbench::linear(x, base * 2).sum().backward();
  testing::expect_close(base.grad(), 2 * x.sum(0).expand({4, 3}), 1e-6, "gradient");
}

}  // namespace
}  // namespace kdbench::linear_test
