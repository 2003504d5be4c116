// SPDX-License-Identifier: MIT
// Sharded evaluation sees each row id exactly once, for any number of rows and ranks.
#include "suite/training/evaluation.h"

#include <gtest/gtest.h>

#include "tests/support/tiny.h"

namespace kdbench::evaluation_test {
namespace {

class Evaluation : public ::testing::TestWithParam<int64_t> {};

TEST_P(Evaluation, MatchesOneRank) {
  const auto data = make_dataset(testing::tiny_features("dev", GetParam()), {"0", "1"});
  const auto model = testing::tiny_bert(7);
  const Predictions all = predict(*model, *data, Control(MPI_COMM_WORLD));
  const Predictions alone = predict(*model, *data, Control(MPI_COMM_SELF));
  ASSERT_EQ(all.rows(), GetParam());
  EXPECT_EQ(all.row_ids, alone.row_ids);
  EXPECT_EQ(all.labels, alone.labels);
  ASSERT_EQ(all.logits.size(), alone.logits.size());
  for (size_t i = 0; i < all.logits.size(); ++i) EXPECT_NEAR(all.logits[i], alone.logits[i], 1e-5f);
}

INSTANTIATE_TEST_SUITE_P(Rows, Evaluation, ::testing::Values(1, 2, 7, 64, 150));

}  // namespace
}  // namespace kdbench::evaluation_test
