// SPDX-License-Identifier: MIT
#include "methods/ops/row_states.h"

#include "methods/ops/lookup.h"
#include "tests/methods/op_check.h"

namespace kdbench::row_states_test {
namespace {

using testing::numbers;
using testing::Tensors;

StepRows rows_of(const std::vector<int64_t>& lengths) {
  return {testing::rows_of(lengths).offsets, at::kCPU};
}

template <typename F>
testing::Op over(const F& f, const StepRows& rows) {
  return [&f, &rows](const Tensors& in) { return f(in[0], rows); };
}

TEST(RowStates, EqualTheirReferences) {
  for (const auto& lengths : std::vector<std::vector<int64_t>>{{1}, {2, 5, 1, 5}, {}}) {
    const StepRows rows = rows_of(lengths);
    const Tensors states = {numbers({rows.tokens(), 10})};
    testing::expect_same(over(end_states, rows), over(end_states_reference, rows), states, 1e-7);
    testing::expect_same(over(largest_states, rows), over(largest_states_reference, rows), states,
                         1e-7);
  }
}

TEST(RowStates, ReferencesDifferentiate) {
  const StepRows rows = rows_of({3, 1, 2});
  const Tensors states = {numbers({6, 4})};
  testing::expect_differentiates(over(end_states_reference, rows), states, 24);
  testing::expect_differentiates(over(largest_states_reference, rows), states, 24);
}

TEST(RowStates, WhatTheyAre) {
  const StepRows rows = rows_of({1, 3});  // by steps: row 1, row 0, row 1, row 1
  const at::Tensor states =
      at::tensor({1.0f, -1.0f, 9.0f, 8.0f, 3.0f, 2.0f, 2.0f, 2.0f}).view({4, 2});
  EXPECT_TRUE(
      at::equal(end_states(states, rows), at::tensor({9.0f, 8.0f, 2.0f, -1.0f}).view({2, 2})));
  EXPECT_TRUE(
      at::equal(largest_states(states, rows), at::tensor({9.0f, 8.0f, 3.0f, 2.0f}).view({2, 2})));
  at::Tensor leaf = states.clone().set_requires_grad(true);
  largest_states(leaf, rows).sum().backward();  // of the two equal ones the first
  EXPECT_TRUE(at::equal(leaf.grad(),
                        at::tensor({0.0f, 0.0f, 1.0f, 1.0f, 1.0f, 1.0f, 0.0f, 0.0f}).view({4, 2})));
}

TEST(RowStates, NotANumberStays) {
  const StepRows rows = rows_of({3});
  at::Tensor states = numbers({3, 2});
  states[1][0] = NAN;
  EXPECT_TRUE(largest_states(states, rows)[0][0].isnan().item<bool>());
  EXPECT_TRUE(largest_states_reference(states, rows)[0][0].isnan().item<bool>());
}

TEST(Lookup, EqualsItsReference) {
  const at::Tensor ids = at::tensor({3, 0, 3, 1}, at::kLong);
  testing::expect_same([&](const Tensors& in) { return lookup(in[0], ids); },
                       [&](const Tensors& in) { return lookup_reference(in[0], ids); },
                       {numbers({5, 70})}, 1e-6);
}

}  // namespace
}  // namespace kdbench::row_states_test
