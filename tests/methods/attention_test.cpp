// SPDX-License-Identifier: MIT
#include "methods/ops/attention.h"

#include <ATen/Parallel.h>

#include <limits>

#include "methods/ops/small_gemm.h"
#include "methods/ops/softmax_rows.h"
#include "tests/methods/op_check.h"

namespace kdbench::attention_test {
namespace {

using testing::numbers;
using testing::Op;
using testing::rows_of;
using testing::Tensors;

const Dropout kDropout{0.2, {11, 3}, 4};

// Inputs: qkv, bias.
Op fast(const TokenRows& rows, int64_t heads, const Dropout& dropout, Seen seen = Seen::kRow) {
  return [=](const Tensors& in) { return attention(in[0], in[1], rows, heads, dropout, seen); };
}
Op plain(const TokenRows& rows, int64_t heads, const Dropout& dropout, Seen seen = Seen::kRow) {
  return [=](const Tensors& in) {
    return attention_reference(in[0], in[1], rows, heads, dropout, seen).context;
  };
}
Tensors inputs(const TokenRows& rows, int64_t width) {
  return {numbers({rows.tokens(), 3 * width}) * 0.5, numbers({3 * width}, 1) * 0.5};
}

TEST(SmallGemm, EqualsMatmulForEveryShape) {
  for (const int64_t n : {16, 32, 48}) {
    for (int64_t m = 1; m < 30; ++m) {
      for (const int64_t k : {1, 5, 32}) {
        const at::Tensor a = numbers({m, k}), b = numbers({k, n}, 1);
        const at::Tensor flipped = a.t().contiguous();
        at::Tensor c = at::empty({m, n}), from_transposed = at::empty({m, n});
        small_gemm(m, n, k, {a.const_data_ptr<float>(), k, 1}, b.const_data_ptr<float>(),
                   c.mutable_data_ptr<float>());
        small_gemm(m, n, k, {flipped.const_data_ptr<float>(), 1, m}, b.const_data_ptr<float>(),
                   from_transposed.mutable_data_ptr<float>());
        testing::expect_close(c, a.matmul(b), 1e-5, "product");
        EXPECT_TRUE(c.equal(from_transposed));
      }
    }
  }
}

TEST(SoftmaxRows, IsAccurateForLargeAndEqualScores) {
  const std::vector<uint32_t> words(32);
  for (const double scale : {0.0, 1.0, 30.0, 1000.0}) {
    const at::Tensor scores = numbers({32}) * scale;
    at::Tensor p = scores.clone();
    const float log_sum = softmax_dropout(32, p.mutable_data_ptr<float>(), words.data(), {});
    const at::Tensor exact = scores.to(at::kDouble);
    EXPECT_LT(testing::largest(p - at::softmax(exact, 0)), 3e-7);
    EXPECT_NEAR(log_sum, at::logsumexp(exact, 0).item<double>(), 1e-6 * std::max(1.0, scale));
  }
}

// What is not seen has no weight at all: the weight of the least number that exp gives here would
// leave denormal gradients, which slow down every product that they go through.
TEST(SoftmaxRows, HiddenScoresHaveNoWeight) {
  const std::vector<uint32_t> words(16);
  std::vector<float> weights(16, -std::numeric_limits<float>::infinity()), scores(16, 1.0f);
  weights[0] = 0.5f;
  std::vector<float> again = weights;
  const float log_sum = softmax_dropout(16, weights.data(), words.data(), {});
  softmax_dropout_backward(16, again.data(), scores.data(), log_sum, words.data(), {});
  EXPECT_EQ(weights[0], 1.0f);
  for (size_t i = 1; i < 16; ++i) {
    EXPECT_EQ(weights[i], 0.0f);
    EXPECT_EQ(again[i], 0.0f);
    EXPECT_EQ(scores[i], 0.0f);
  }
}

TEST(Attention, NoGradientIsDenormal) {
  const TokenRows rows = rows_of({1, 5, 17});
  Tensors in = inputs(rows, 24);
  for (auto& tensor : in) tensor.requires_grad_(true);
  attention(in[0], in[1], rows, 2, {}, Seen::kBefore).sum().backward();
  const at::Tensor size = in[0].grad().abs();
  EXPECT_FALSE(
      size.gt(0).logical_and(size.lt(std::numeric_limits<float>::min())).any().item<bool>());
}

TEST(Attention, EqualsItsReference) {
  for (const auto& lengths :
       std::vector<std::vector<int64_t>>{{}, {1}, {16}, {3, 17, 1, 33}, {70, 2}}) {
    const TokenRows rows = rows_of(lengths);
    for (const int64_t width : {24, 48, 64}) {  // heads of 12, 24 and 32 channels: padded and not
      for (const Dropout& dropout : {Dropout{}, kDropout}) {
        for (const Seen seen : {Seen::kRow, Seen::kBefore}) {
          testing::expect_same(fast(rows, 2, dropout, seen), plain(rows, 2, dropout, seen),
                               inputs(rows, width), 5e-6);
        }
      }
    }
  }
}

TEST(Attention, ReferenceDifferentiates) {
  const TokenRows rows = rows_of({2, 4});
  for (const Seen seen : {Seen::kRow, Seen::kBefore})
    testing::expect_differentiates(plain(rows, 2, kDropout, seen), inputs(rows, 8), 40);
}

// A token's context is what it is without the tokens after it.
TEST(Attention, CausalSeesNoLaterToken) {
  const Tensors in = inputs(rows_of({9, 5}), 8);
  const at::Tensor context = fast(rows_of({9, 5}), 2, {}, Seen::kBefore)(in);
  for (int64_t length = 1; length <= 9; ++length) {
    const at::Tensor part =
        fast(rows_of({length}), 2, {}, Seen::kBefore)({in[0].narrow(0, 0, length), in[1]});
    testing::expect_close(part, context.narrow(0, 0, length), 1e-6, "the first tokens alone");
  }
}

TEST(Attention, ProbabilitiesAddUpWithinRows) {
  const TokenRows rows = rows_of({2, 4});
  const Tensors in = inputs(rows, 8);
  const at::Tensor p = attention_reference(in[0], in[1], rows, 2, kDropout).probabilities;
  ASSERT_EQ(p.sizes(), (at::IntArrayRef{2, 2, 4, 4}));
  testing::expect_close(p[1].sum(2), at::ones({2, 4}), 1e-6, "long row");
  testing::expect_close(p[0].narrow(1, 0, 2).sum(2), at::ones({2, 2}), 1e-6, "short row");
  EXPECT_EQ(p[0].narrow(1, 2, 2).abs().sum().item<float>(), 0.0f);
  EXPECT_EQ(p[0].narrow(2, 2, 2).abs().sum().item<float>(), 0.0f);
}

TEST(Attention, DoesNotDependOnThreads) {
  const TokenRows rows = rows_of({50, 6, 70});
  std::vector<Tensors> results;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    Tensors leaves = testing::leaves_of(inputs(rows, 96), 0.0, true);
    const at::Tensor y = fast(rows, 3, kDropout)(leaves);
    testing::weigh(y).backward();
    results.push_back({y.detach(), leaves[0].grad(), leaves[1].grad()});
  }
  for (size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(results[0][i].equal(results[1][i]));
}

}  // namespace
}  // namespace kdbench::attention_test
