// SPDX-License-Identifier: MIT
#include "methods/ops/dropout_add_layer_norm.h"

#include <ATen/Parallel.h>

#include "tests/methods/op_check.h"

namespace kdbench::dropout_add_layer_norm_test {
namespace {

using testing::numbers;
using testing::Op;
using testing::rows_of;
using testing::Tensors;

const Dropout kDropout{0.2, {11, 3}, 4};

using Form = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                            const LayerNormParameters&, const Dropout&, const TokenRows&);
// Inputs: x, bias, residual, gamma, beta.
Op op(Form form, const Dropout& dropout, const TokenRows& rows) {
  return [=](const Tensors& in) {
    return form(in[0], in[1], in[2], {in[3], in[4], 1e-12}, dropout, rows);
  };
}

Tensors inputs(int64_t tokens, int64_t width) {
  return {numbers({tokens, width}), numbers({width}, 1), numbers({tokens, width}, 2),
          numbers({width}, 3), numbers({width}, 4)};
}

TEST(DropoutAddLayerNorm, EqualsItsReference) {
  for (const int64_t width : {5, 48, 384}) {
    for (const auto& lengths : std::vector<std::vector<int64_t>>{{}, {1}, {3, 40, 1, 27}}) {
      const TokenRows rows = rows_of(lengths);
      for (const Dropout& dropout : {Dropout{}, kDropout}) {
        testing::expect_same(op(dropout_add_layer_norm, dropout, rows),
                             op(dropout_add_layer_norm_reference, dropout, rows),
                             inputs(rows.tokens(), width), 3e-6);
      }
    }
  }
}

TEST(DropoutAddLayerNorm, ReferenceDifferentiates) {
  const TokenRows rows = rows_of({2, 3});
  testing::expect_differentiates(op(dropout_add_layer_norm_reference, kDropout, rows),
                                 inputs(5, 8));
}

TEST(DropoutAddLayerNorm, DoesNotDependOnThreads) {
  const TokenRows rows = rows_of({50, 60, 70});
  const Op fast = op(dropout_add_layer_norm, kDropout, rows);
  std::vector<Tensors> results;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    Tensors leaves = testing::leaves_of(inputs(180, 64), 0.0, true);
    const at::Tensor y = fast(leaves);
    testing::weigh(y).backward();
    Tensors result = {y.detach()};
    for (const auto& leaf : leaves) result.push_back(leaf.grad());
    results.push_back(result);
  }
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i]));
}

}  // namespace
}  // namespace kdbench::dropout_add_layer_norm_test
