// SPDX-License-Identifier: MIT
// The layer against its reference, the reference against finite differences and against ATen's own
// LSTM on packed sequences.
#include "methods/ops/lstm.h"

#include "methods/ops/fast_exp.h"
#include "methods/ops/lstm_cell.h"
#include "tests/methods/op_check.h"
#include "tests/support/user_error.h"

namespace kdbench::lstm_test {
namespace {

using testing::numbers;
using testing::Tensors;

StepRows rows_of(const std::vector<int64_t>& lengths) {
  return {testing::rows_of(lengths).offsets, at::kCPU};
}

Tensors inputs_of(int64_t tokens, int64_t in, int64_t width) {
  return {numbers({tokens, in}), numbers({8 * width, in}, 1), numbers({8 * width, width}, 2),
          numbers({8 * width}, 3), numbers({8 * width}, 4)};
}

testing::Op fast(const StepRows& rows) {
  return [&rows](const Tensors& in) { return lstm(in[0], rows, {in[1], in[2], in[3], in[4]}); };
}
testing::Op plain(const StepRows& rows) {
  return [&rows](const Tensors& in) {
    return lstm_reference(in[0], rows, {in[1], in[2], in[3], in[4]});
  };
}

TEST(StepRows, OrderOfTokens) {
  const StepRows rows = rows_of({2, 4, 1, 2});  // tokens 0 1, 2 3 4 5, 6, 7 8; places 1 0 3 2
  EXPECT_EQ(rows.rows(), 4);
  EXPECT_EQ(rows.tokens(), 9);
  ASSERT_EQ(rows.steps().size(), 4U);
  EXPECT_EQ(rows.steps()[1].rows, 3);
  EXPECT_EQ(rows.steps()[1].first, 4);
  EXPECT_EQ(rows.steps()[3].rows, 1);
  const auto expect = [](const at::Tensor& actual, const std::vector<int64_t>& expected) {
    EXPECT_TRUE(at::equal(actual, at::tensor(expected, at::kLong))) << actual;
  };
  expect(rows.order(), {2, 0, 7, 6, 3, 1, 8, 4, 5});
  expect(rows.first(), {1, 0, 3, 2});
  expect(rows.last(), {5, 8, 3, 6});
  expect(rows.before(), {0, 1, 2, 4, 7});
  EXPECT_NE(testing::user_error_of([] {
              rows_of({1, 0});
            }).find("without tokens"),
            std::string::npos);
}

TEST(Lstm, EqualsItsReference) {
  for (const auto& lengths :
       std::vector<std::vector<int64_t>>{{1}, {5}, {3, 1, 7, 7, 2}, std::vector<int64_t>(40, 3)}) {
    const StepRows rows = rows_of(lengths);
    testing::expect_same(fast(rows), plain(rows), inputs_of(rows.tokens(), 6, 19), 2e-5);
  }
}

TEST(Lstm, ReferenceDifferentiates) {
  const StepRows rows = rows_of({3, 1, 2});
  testing::expect_differentiates(plain(rows), inputs_of(6, 3, 4));
}

TEST(Lstm, EqualsAtensOwnOnPackedSequences) {
  const StepRows rows = rows_of({2, 6, 4, 4, 1});
  const int64_t width = 5, gates = 4 * width;
  const Tensors in = inputs_of(rows.tokens(), 3, width);
  std::vector<int64_t> sizes;
  for (const auto& step : rows.steps()) sizes.push_back(step.rows);
  Tensors parameters;
  for (const int64_t first : {int64_t{0}, gates}) {
    for (size_t i = 1; i < in.size(); ++i) parameters.push_back(in[i].narrow(0, first, gates));
  }
  const at::Tensor zero = at::zeros({2, rows.rows(), width});
  const auto [states, last, cells] =
      at::lstm(in[0], at::tensor(sizes, at::kLong), {zero, zero}, parameters, /*has_biases=*/true,
               /*num_layers=*/1, /*dropout=*/0.0, /*train=*/false, /*bidirectional=*/true);
  testing::expect_close(fast(rows)(in), states, 1e-5, "states");
}

TEST(Lstm, RowsByThemselvesAreTheSame) {
  const StepRows rows = rows_of({2, 5, 3});
  const Tensors in = inputs_of(10, 4, 6);
  const at::Tensor all = fast(rows)(in);
  const at::Tensor tokens = at::empty_like(in[0]).index_copy_(0, rows.order(), in[0]);
  const StepRows alone = rows_of({5});
  const at::Tensor one = fast(alone)({tokens.narrow(0, 2, 5), in[1], in[2], in[3], in[4]});
  const at::Tensor by_token = at::empty_like(all).index_copy_(0, rows.order(), all);
  testing::expect_close(by_token.narrow(0, 2, 5), one, 1e-6, "states");
}

TEST(Lstm, WithoutRowsLeavesGradientsAlone) {
  const StepRows rows = rows_of({});
  Tensors leaves = testing::leaves_of(inputs_of(0, 4, 3), 0.25, true);
  const at::Tensor y = fast(rows)(leaves);
  EXPECT_EQ(y.sizes(), at::IntArrayRef({0, 6}));
  y.sum().backward();
  for (size_t i = 1; i < leaves.size(); ++i)
    EXPECT_TRUE(leaves[i].grad().eq(0.25).all().item<bool>());
}

TEST(LstmCell, NotANumberStays) {
  std::vector<float> gates(4, 0.0f), zero{0.0f}, cell{0.0f}, state{0.0f};
  gates[2] = NAN;
  lstm_cell(1, gates.data(), zero.data(), cell.data(), state.data());
  EXPECT_TRUE(std::isnan(state[0]));
}

TEST(FastExp, SigmoidAndTanh) {
  for (double x = -120.0; x <= 120.0; x += 0.0371) {
    const auto single = static_cast<float>(x);
    const double exact = static_cast<double>(single);
    EXPECT_NEAR(fast_sigmoid(single), 1.0 / (1.0 + std::exp(-exact)), 2e-7);
    EXPECT_NEAR(fast_tanh(single), std::tanh(exact), 3e-7 * std::abs(std::tanh(exact)));
    const float small = single * 1e-3f;
    EXPECT_NEAR(fast_tanh(small), std::tanh(static_cast<double>(small)),
                3e-7 * std::abs(std::tanh(static_cast<double>(small))));
  }
  EXPECT_EQ(fast_tanh(0.0f), 0.0f);
}

}  // namespace
}  // namespace kdbench::lstm_test
