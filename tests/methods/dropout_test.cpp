// SPDX-License-Identifier: MIT
#include "methods/ops/dropout.h"

#include "tests/methods/op_check.h"

namespace kdbench::dropout_test {
namespace {

using testing::rows_of;

const Dropout kDropout{0.3, {0x123456789abcdef0, 17}, 5};

// The scalar definition.
uint32_t word_of(const Dropout& d, int64_t row, int64_t first, int64_t blocks, int64_t e) {
  const auto block = static_cast<uint32_t>(first + e % blocks);
  return philox(d.key.seed, {block, static_cast<uint32_t>(row), d.place, d.key.step})[e / blocks];
}

TEST(PhiloxWords, EqualTheScalarFormForEveryCount) {
  for (const int64_t blocks : {0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 23, 96}) {
    // 1 beyond the end: nothing may be written there.
    std::vector<uint32_t> words(4 * blocks + 1, 77);
    const PhiloxStream stream = kDropout.stream(12345, 4294967290);  // the counter wraps
    philox_words(stream, blocks, words.data());
    for (int64_t e = 0; e < 4 * blocks; ++e) {
      EXPECT_EQ(words[e], word_of(kDropout, 12345, 4294967290, blocks, e)) << blocks << " " << e;
    }
    EXPECT_EQ(words.back(), 77u);
  }
}

TEST(PhiloxReference, EqualsTheScalarForm) {
  const std::vector<int64_t> values = {0, 1, 4294967295, 2147483648, 305419896};
  const at::Tensor c = at::tensor(values, at::kLong);
  const auto lanes = philox_reference(0xfedcba9876543210, {c, c.flip(0), c.roll(1), c.roll(2)});
  for (int64_t i = 0; i < 5; ++i) {
    const auto at = [&](int64_t j) { return static_cast<uint32_t>(values[j]); };
    const PhiloxBlock expected =
        philox(0xfedcba9876543210, {at(i), at(4 - i), at((i + 4) % 5), at((i + 3) % 5)});
    for (int64_t lane = 0; lane < 4; ++lane) {
      EXPECT_EQ(lanes[lane][i].item<int64_t>(), int64_t{expected[lane]});
    }
  }
}

TEST(DropoutFactors, EqualTheirDefinitionAndReference) {
  const TokenRows rows = rows_of({3, 1, 5}, {7, 1 << 20, 0});
  for (const int64_t width : {1, 4, 10, 384}) {
    const at::Tensor factors = dropout_factors(kDropout, rows, width);
    EXPECT_TRUE(factors.equal(dropout_factors_reference(kDropout, rows, width)));
    const int64_t blocks = (width + 3) / 4;
    // The third token of the last row.
    for (int64_t h = 0; h < width; ++h) {
      const bool kept = word_of(kDropout, 0, 2 * blocks, blocks, h) >= kDropout.threshold();
      EXPECT_FLOAT_EQ(factors[6][h].item<float>(), kept ? 1.0f / 0.7f : 0.0f);
    }
  }
}

TEST(DropoutFactors, DropTheGivenShare) {
  const at::Tensor factors = dropout_factors(kDropout, rows_of({100, 200}), 64);
  EXPECT_NEAR(factors.eq(0).to(at::kDouble).mean().item<double>(), 0.3, 0.01);
  EXPECT_NEAR(factors.mean().item<double>(), 1.0, 0.015);
}

TEST(DropoutFactors, DifferByStepPlaceAndSeed) {
  const TokenRows rows = rows_of({4});
  const at::Tensor factors = dropout_factors(kDropout, rows, 64);
  Dropout other = kDropout;
  other.key.step++;
  EXPECT_FALSE(factors.equal(dropout_factors(other, rows, 64)));
  other = kDropout;
  other.place++;
  EXPECT_FALSE(factors.equal(dropout_factors(other, rows, 64)));
  other = kDropout;
  other.key.seed++;
  EXPECT_FALSE(factors.equal(dropout_factors(other, rows, 64)));
}

TEST(AttentionDropoutFactors, EqualTheirDefinition) {
  const TokenRows rows = rows_of({3, 5}, {7, 9});
  const at::Tensor factors = attention_dropout_factors_reference(kDropout, rows, 2);
  ASSERT_EQ(factors.sizes(), (at::IntArrayRef{2, 2, 5, 5}));
  for (int64_t row = 0; row < 2; ++row) {
    const int64_t length = row == 0 ? 3 : 5, blocks = (length * length + 3) / 4;
    for (int64_t head = 0; head < 2; ++head) {
      for (int64_t e = 0; e < 25; ++e) {
        const int64_t i = e / 5, j = e % 5;
        const bool kept = i < length && j < length &&
                          word_of(kDropout, 7 + 2 * row, head * blocks, blocks, i * length + j) >=
                              kDropout.threshold();
        EXPECT_FLOAT_EQ(factors[row][head][i][j].item<float>(), kept ? 1.0f / 0.7f : 0.0f);
      }
    }
  }
}

TEST(DropoutOp, LeavesXAloneWhenInactive) {
  const at::Tensor x = testing::numbers({3, 8});
  EXPECT_TRUE(dropout(x, {}, rows_of({3})).is_same(x));
  EXPECT_TRUE(
      dropout(x, kDropout, rows_of({3})).equal(x * dropout_factors(kDropout, rows_of({3}), 8)));
}

TEST(FirstTokens, KeepTheirDraws) {
  const TokenRows rows = rows_of({3, 1, 5}, {7, 8, 9});
  const at::Tensor all = dropout_factors(kDropout, rows, 48);
  EXPECT_TRUE(first_tokens(all, rows).equal(dropout_factors(kDropout, first_tokens(rows), 48)));
}

}  // namespace
}  // namespace kdbench::dropout_test
