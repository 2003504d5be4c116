// SPDX-License-Identifier: MIT
#include "methods/ops/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace kdbench::rng_test {
namespace {

// Known answers of the Random123 distribution for philox4x32-10.
TEST(Philox, KnownAnswers) {
  EXPECT_EQ(philox(0, {0, 0, 0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox(~uint64_t{0}, {ones, ones, ones, ones}),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(DeriveSeed, DiffersByStreamAndSeed) {
  std::set<uint64_t> seeds = {0, 1, 2};
  for (uint64_t seed : {0, 1, 2}) {
    for (const char* stream : {"", "student", "teacher", "phase 1", "phase 2"}) {
      EXPECT_TRUE(seeds.insert(derive_seed(seed, stream)).second) << seed << stream;
    }
  }
  EXPECT_EQ(derive_seed(7, "student"), derive_seed(7, "student"));
}

TEST(ShuffledOrder, IsAPermutationKeyedBySeedAndEpoch) {
  std::vector<int64_t> ids(1000);
  std::iota(ids.begin(), ids.end(), 0);
  const auto order = shuffled_order(1, 0, ids);
  auto sorted = order;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(sorted, ids);
  EXPECT_NE(order, ids);
  EXPECT_EQ(order, shuffled_order(1, 0, ids));
  EXPECT_NE(order, shuffled_order(1, 1, ids));
  EXPECT_NE(order, shuffled_order(2, 0, ids));
}

TEST(ShuffledOrder, DependsOnIdsNotOnTheirPlaces) {
  const std::vector<int64_t> ids = {5, 9, 2, 7}, reversed = {7, 2, 9, 5};
  const auto a = shuffled_order(3, 4, ids), b = shuffled_order(3, 4, reversed);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[a[i]], reversed[b[i]]);
  EXPECT_TRUE(shuffled_order(3, 4, {}).empty());
}

TEST(FillNormal, HasTheMomentsAndDependsOnTheNameAlone) {
  std::vector<float> data(100001);
  fill_normal(1, "weight", 0.5, data.data(), static_cast<int64_t>(data.size()));
  double sum = 0.0, squares = 0.0, beyond = 0.0;
  for (const float x : data) {
    sum += x;
    squares += x * x;
    beyond += std::abs(x) > 1.0 ? 1.0 : 0.0;
  }
  const auto count = static_cast<double>(data.size());
  EXPECT_NEAR(sum / count, 0.0, 0.006);
  EXPECT_NEAR(std::sqrt(squares / count), 0.5, 0.005);
  EXPECT_NEAR(beyond / count, 0.0455, 0.003);  // two deviations

  std::vector<float> shorter(10), other(10);
  fill_normal(1, "weight", 0.5, shorter.data(), 10);
  fill_normal(1, "bias", 0.5, other.data(), 10);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), data.begin()));
  EXPECT_NE(shorter, other);
}

TEST(FillUniform, StaysInItsInterval) {
  std::vector<float> data(10000);
  fill_uniform(1, "weight", -2.0, 4.0, data.data(), static_cast<int64_t>(data.size()));
  const auto [low, high] = std::minmax_element(data.begin(), data.end());
  EXPECT_GE(*low, -2.0f);
  EXPECT_LE(*high, 4.0f);
  EXPECT_NEAR(std::accumulate(data.begin(), data.end(), 0.0) / 10000.0, 1.0, 0.06);
}

}  // namespace
}  // namespace kdbench::rng_test
