// SPDX-License-Identifier: MIT
// Sharded evaluation sees each row id exactly once, for any number of rows and ranks.
#include "suite/training/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "suite/training/finite.h"
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

// NaN has no class: whatever argmax says of it, there is no prediction. On every rank.
TEST(EvaluationOfDivergedWeights, FailsTheRun) {
  const auto data = make_dataset(testing::tiny_features("dev", 7), {"0", "1"});
  const auto model = testing::tiny_bert(7);
  const Control control(MPI_COMM_WORLD);
  check_finite_weights(model->parameters(), "here", control);
  model->parameters().values().fill_(NAN);
  const auto error_of = [](auto&& f) {
    try {
      f();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kRunFailed);
      EXPECT_TRUE(error.on_every_rank);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of([&] {
              predict(*model, *data, control, "on dev");
            }).rfind("on dev: the logits of row 0 are not finite", 0),
            0U);
  EXPECT_NE(error_of([&] {
              check_finite_weights(model->parameters(), "the student", control);
            }).find("the student: the weights "),
            std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Rows, Evaluation, ::testing::Values(1, 2, 7, 64, 150));

}  // namespace
}  // namespace kdbench::evaluation_test
