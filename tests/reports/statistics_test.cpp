// SPDX-License-Identifier: MIT
#include "reports/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace kdbench::statistics_test {
namespace {

using Interval = std::pair<double, double>;

// 1, 2, ..., n, the largest first.
std::vector<double> count_down(int n) {
  std::vector<double> values(static_cast<size_t>(n));
  std::iota(values.rbegin(), values.rend(), 1.0);
  return values;
}

TEST(Statistics, CentersAndDeviation) {
  EXPECT_DOUBLE_EQ(mean({1, 2, 3, 6}), 3.0);
  EXPECT_DOUBLE_EQ(median({6, 1, 3, 2}), 2.5);
  EXPECT_DOUBLE_EQ(median({6, 1, 3}), 3.0);
  EXPECT_DOUBLE_EQ(*standard_deviation({2, 4}), 1.4142135623730951);
  EXPECT_FALSE(standard_deviation({5}));
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(median({})));
}

// Exact binomial ranks: 1 - 2 P(Bin(n, 1/2) < rank) >= 0.95.
TEST(Statistics, IntervalOfTheMedian) {
  for (const int n : {0, 1, 3, 5}) EXPECT_FALSE(median_interval(count_down(n))) << n;
  EXPECT_EQ(median_interval(count_down(6)), Interval(1, 6));
  EXPECT_EQ(median_interval(count_down(8)), Interval(1, 8));
  EXPECT_EQ(median_interval(count_down(9)), Interval(2, 8));
  EXPECT_EQ(median_interval(count_down(10)), Interval(2, 9));
  EXPECT_EQ(median_interval(count_down(15)), Interval(4, 12));
  EXPECT_EQ(median_interval(count_down(20)), Interval(6, 15));
}

}  // namespace
}  // namespace kdbench::statistics_test
