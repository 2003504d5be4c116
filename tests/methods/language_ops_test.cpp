// SPDX-License-Identifier: MIT
// The operations of language models: fast forms against references, references against finite
// differences, and what decoding is made of.
#include <ATen/Parallel.h>

#include <numeric>

#include "methods/ops/bias_gelu.h"
#include "methods/ops/dropout_add_then_norm.h"
#include "methods/ops/head_cache.h"
#include "methods/ops/linear.h"
#include "methods/ops/packed_weight.h"
#include "methods/ops/target_loss.h"
#include "methods/ops/token_draw.h"
#include "tests/methods/op_check.h"

namespace kdbench::language_ops_test {
namespace {

using testing::numbers;
using testing::Op;
using testing::Tensors;

TEST(GeluTanh, EqualsItsReference) {
  const auto fast = [](const Tensors& in) { return bias_gelu(in[0], in[1], Gelu::kTanh); };
  const auto plain = [](const Tensors& in) {
    return bias_gelu_reference(in[0], in[1], Gelu::kTanh);
  };
  for (const int64_t tokens : {0, 1, 40})
    testing::expect_same(fast, plain, {numbers({tokens, 17}) * 6, numbers({17}, 1)}, 1e-6);
  testing::expect_differentiates(plain, {numbers({3, 8}), numbers({8}, 1)});
}

TEST(LinearInOut, EqualsItsReference) {
  const auto fast = [](const Tensors& in) { return linear_in_out(in[0], in[1]); };
  const auto plain = [](const Tensors& in) { return linear_reference(in[0], in[1].t()); };
  for (const int64_t tokens : {0, 1, 33})
    testing::expect_same(fast, plain, {numbers({tokens, 12}), numbers({12, 20}, 1)}, 1e-6);
}

using Both = NormedSum (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                           const LayerNormParameters&, const Dropout&, const TokenRows&);
// Inputs: x, bias, residual, gamma, beta. Both outputs side by side.
Op sum_and_norm(Both form, const Dropout& dropout, const TokenRows& rows) {
  return [=](const Tensors& in) {
    const NormedSum both = form(in[0], in[1], in[2], {in[3], in[4], 1e-5}, dropout, rows);
    return at::cat({both.sum, both.normalized}, 1);
  };
}

TEST(DropoutAddThenNorm, EqualsItsReference) {
  const TokenRows rows = testing::rows_of({3, 40, 1});
  for (const Dropout& dropout : {Dropout{}, Dropout{0.2, {11, 3}, 4}}) {
    for (const int64_t width : {5, 48}) {
      const Tensors inputs = {numbers({44, width}), numbers({width}, 1), numbers({44, width}, 2),
                              numbers({width}, 3), numbers({width}, 4)};
      testing::expect_same(sum_and_norm(dropout_add_then_norm, dropout, rows),
                           sum_and_norm(dropout_add_then_norm_reference, dropout, rows), inputs,
                           3e-6);
    }
  }
}

TEST(TargetLoss, EqualsItsReference) {
  for (const int64_t rows : {0, 1, 9}) {
    const at::Tensor targets = at::arange(rows, at::kLong).mul(5).remainder(30);
    const Tensors inputs = {numbers({rows, 8}) * 2, numbers({30, 8}, 1), numbers({30}, 2)};
    const Op fast = [&](const Tensors& in) {
      return target_loss(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor(), targets);
    };
    const Op plain = [&](const Tensors& in) {
      return target_loss_reference(in[0], in[1], in.size() > 2 ? in[2] : at::Tensor(), targets);
    };
    testing::expect_same(fast, plain, inputs, 2e-6);
    testing::expect_same(fast, plain, {inputs[0], inputs[1]}, 2e-6);
    testing::expect_differentiates(fast, inputs, 40);  // in double its own way
  }
}

// More of the vocabulary than is worked on at once.
TEST(TargetLoss, BlocksAddUp) {
  const int64_t vocabulary = 20000, width = 32, rows = 70;
  ASSERT_GT(vocabulary * width, 2 * kBlockWeights);
  const at::Tensor targets = at::arange(rows, at::kLong).mul(7919).remainder(vocabulary);
  const Op fast = [&](const Tensors& in) { return target_loss(in[0], in[1], {}, targets); };
  const Op plain = [&](const Tensors& in) {
    return target_loss_reference(in[0], in[1], {}, targets);
  };
  testing::expect_same(fast, plain, {numbers({rows, width}), numbers({vocabulary, width}, 1)},
                       2e-5);
}

TEST(PackedWeight, EqualsMatmulAndTheSameBitsForARowAlone) {
  for (const auto& [in, out] : {std::pair<int64_t, int64_t>{1, 1}, {7, 33}, {48, 300}, {96, 64}}) {
    const at::Tensor weight = numbers({out, in}).t(), bias = numbers({out}, 1);
    const PackedWeight packed(weight);
    for (int64_t rows = 1; rows < 30; rows += 1) {
      const at::Tensor x = numbers({rows, in}, 2);
      at::Tensor y = at::empty({rows, out}), one = at::empty({1, out});
      packed.multiply(rows, x.const_data_ptr<float>(), bias.const_data_ptr<float>(),
                      y.mutable_data_ptr<float>());
      testing::expect_close(y, x.matmul(weight) + bias, 1e-5, "product");
      packed.multiply(1, x[rows - 1].contiguous().const_data_ptr<float>(),
                      bias.const_data_ptr<float>(), one.mutable_data_ptr<float>());
      EXPECT_TRUE(one[0].equal(y[rows - 1]));
    }
  }
}

TEST(HeadCache, ScoresAndWeighedValues) {
  for (const int64_t size : {3, 16, 20}) {
    const int64_t room = 48, tokens = 37;
    std::vector<float> memory(HeadCache::floats(size, room), std::nanf(""));
    HeadCache cache(memory.data(), size, room);
    const at::Tensor keys = numbers({tokens, size}), values = numbers({tokens, size}, 1);
    for (int64_t t = 0; t < tokens; ++t)
      cache.put(t, keys[t].const_data_ptr<float>(), values[t].const_data_ptr<float>());
    const at::Tensor query = numbers({size}, 2), weights = numbers({tokens}, 3).contiguous();
    at::Tensor scores = at::empty({room}), out = at::empty({32});
    cache.scores(tokens, query.const_data_ptr<float>(), scores.mutable_data_ptr<float>());
    testing::expect_close(scores.narrow(0, 0, tokens), keys.mv(query), 1e-5, "scores");
    cache.weigh(tokens, weights.const_data_ptr<float>(), out.mutable_data_ptr<float>());
    testing::expect_close(out.narrow(0, 0, size), values.t().mv(weights), 1e-5, "values");
  }
}

std::vector<int64_t> drawn_of(const at::Tensor& scores, const TokenRule& rule, int64_t draws) {
  std::vector<int64_t> counts(scores.size(0));
  for (int64_t i = 0; i < draws; ++i) {
    at::Tensor own = scores.clone();
    const double uniform = (static_cast<double>(i) + 0.5) / static_cast<double>(draws);
    ++counts[draw_token(own.size(0), own.mutable_data_ptr<float>(), rule, uniform)];
  }
  return counts;
}

// Evenly spread numbers draw every id as often as its probability says.
TEST(TokenDraw, FollowsTheProbabilities) {
  const int64_t draws = 20000;
  const at::Tensor scores = numbers({600}) * 5;
  for (const TokenRule& rule : {TokenRule{}, TokenRule{0.7}, TokenRule{1.3, 10},
                                TokenRule{1.0, 0, 0.5}, TokenRule{0.8, 40, 0.6}}) {
    const auto counts = drawn_of(scores, rule, draws);
    std::vector<double> expected(600);
    for (const auto& token : kept_tokens(600, scores.const_data_ptr<float>(), rule))
      expected[token.id] = token.probability;
    for (size_t id = 0; id < 600; ++id)
      EXPECT_NEAR(static_cast<double>(counts[id]), expected[id] * draws, 1.5) << id;
  }
}

TEST(TokenDraw, EdgesOfTheFilters) {
  const std::vector<float> scores = {std::log(0.1f), std::log(0.4f), std::log(0.4f),
                                     std::log(0.1f)};
  const auto ids_of = [&](const TokenRule& rule) {
    std::vector<int64_t> ids;
    for (const auto& token : kept_tokens(4, scores.data(), rule)) ids.push_back(token.id);
    return ids;
  };
  using Ids = std::vector<int64_t>;
  EXPECT_EQ(ids_of({}), (Ids{1, 2, 0, 3}));
  EXPECT_EQ(ids_of({1.0, 3}), (Ids{1, 2, 0}));
  EXPECT_EQ(ids_of({1.0, 9}), (Ids{1, 2, 0, 3}));
  EXPECT_EQ(ids_of({1.0, 0, 0.3}), (Ids{1}));
  EXPECT_EQ(ids_of({1.0, 0, 0.5}), (Ids{1, 2}));
  EXPECT_EQ(ids_of({1.0, 0, 1e-9}), (Ids{1}));
  std::vector<float> certain = {-500.0f, 0.0f, -500.0f};
  EXPECT_EQ(draw_token(3, certain.data(), {}, 0.999999999), 1);
}

}  // namespace
}  // namespace kdbench::language_ops_test
