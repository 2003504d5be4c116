// SPDX-License-Identifier: MIT
#include "methods/ops/bias_gelu.h"

#include "tests/methods/op_check.h"

namespace kdbench::bias_gelu_test {
namespace {

using testing::numbers;
using testing::Tensors;

at::Tensor fast(const Tensors& in) { return bias_gelu(in[0], in[1]); }
at::Tensor plain(const Tensors& in) { return bias_gelu_reference(in[0], in[1]); }

TEST(BiasGelu, EqualsItsReference) {
  for (const int64_t tokens : {0, 1, 40, 100}) {
    for (const int64_t width : {1, 17, 96}) {
      testing::expect_same(fast, plain, {numbers({tokens, width}) * 3, numbers({width}, 1)}, 1e-6);
    }
  }
}

TEST(BiasGelu, ReferenceDifferentiates) {
  testing::expect_differentiates(plain, {numbers({3, 8}), numbers({8}, 1)});
}

// Against double precision over the whole range, tails included.
TEST(BiasGelu, IsAccurate) {
  const at::Tensor x = at::linspace(-30, 30, 120001, at::kFloat).view({1, -1});
  const at::Tensor zero = at::zeros({x.size(1)});
  at::Tensor leaf = x.clone().set_requires_grad(true);
  const at::Tensor y = bias_gelu(leaf, zero);
  y.sum().backward();
  at::Tensor exact_leaf = x.to(at::kDouble).set_requires_grad(true);
  const at::Tensor exact = at::gelu(exact_leaf);
  exact.sum().backward();
  EXPECT_LT(testing::largest(((y - exact) / exact.abs().clamp_min(1)).detach()), 5e-7);
  EXPECT_LT(testing::largest(leaf.grad() - exact_leaf.grad()), 1.2e-6);
}

}  // namespace
}  // namespace kdbench::bias_gelu_test
