// SPDX-License-Identifier: MIT
#include "suite/training/sharding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/support/tiny.h"

namespace kdbench::sharding_test {
namespace {

std::unique_ptr<Dataset> tiny(int64_t rows) {
  return make_dataset(testing::tiny_features("train", rows), {"0", "1"});
}

TEST(Sharding, EveryRowGoesToOneRankAndTokensBalance) {
  const auto data = tiny(64);
  std::vector<int64_t> rows(64);
  std::iota(rows.begin(), rows.end(), 0);
  const auto shares = split_rows(*data, rows, 3);
  std::vector<int64_t> all, tokens;
  for (const auto& share : shares) {
    EXPECT_TRUE(std::is_sorted(share.begin(), share.end()));
    all.insert(all.end(), share.begin(), share.end());
    tokens.push_back(0);
    for (const int64_t row : share) tokens.back() += data->length(row);
  }
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, rows);
  const auto [low, high] = std::minmax_element(tokens.begin(), tokens.end());
  EXPECT_LE(*high - *low, 14);  // at most one longest row
}

TEST(Sharding, SharesMayBeEmpty) {
  const auto data = tiny(2);
  const auto shares = split_rows(*data, {0, 1}, 4);
  EXPECT_EQ(shares[0].size() + shares[1].size() + shares[2].size() + shares[3].size(), 2u);
  EXPECT_TRUE(shares[3].empty());
}

TEST(Sharding, AllRanksHaveTheSameNumberOfMicroBatches) {
  const std::vector<std::vector<int64_t>> shares = {{1, 2, 3, 4, 5}, {6}};
  EXPECT_EQ(micro_batches(shares, 0, 2), (std::vector<std::vector<int64_t>>{{1, 2}, {3, 4}, {5}}));
  EXPECT_EQ(micro_batches(shares, 1, 2), (std::vector<std::vector<int64_t>>{{6}, {}, {}}));
  EXPECT_EQ(micro_batches(shares, 1, 0), (std::vector<std::vector<int64_t>>{{6}}));
}

}  // namespace
}  // namespace kdbench::sharding_test
