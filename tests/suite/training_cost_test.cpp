// SPDX-License-Identifier: MIT
// A training in figures, against numbers worked out by hand. tiny_features(10) has rows of 3 10 5
// 12 | 7 14 9 4 | 11 6 tokens: batches of four with 30, 34 and 17 tokens.
#include "suite/training/training_cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "suite/training/gradient_buckets.h"
#include "suite/training/step_work.h"
#include "suite/training/token_tables.h"
#include "tests/support/tiny.h"

namespace kdbench::training_cost_test {
namespace {

using testing::tiny_bert;
using testing::tiny_features;

class TrainingCostTest : public ::testing::Test {
 protected:
  TrainingCost cost(const std::vector<Phase>& phases, int ranks, bool keeps_best = true) const {
    return training_cost(phases, {{kStudent, student.get()}, {kTeacher, teacher.get()}}, *data,
                         settings, ranks, keeps_best, memo);
  }

  TrainingCost plan_student(int ranks) const {
    return training_cost({phase("distill", {kStudent})}, {{kStudent, student.get()}}, *data,
                         settings, ranks, true, memo);
  }

  static Phase phase(const std::string& name, const std::vector<std::string>& models) {
    Phase phase;
    phase.name = name;
    for (const auto& model : models) phase.updates.push_back({model, nullptr});
    return phase;
  }

  TrainingCostTest() {
    settings.batch_size = 4;
    settings.epochs = 2;
  }

  // All but the rows of 16 floats of the words that the fullest batch has not.
  int64_t gradient_bytes() const {
    size_t most = 0;
    for (int64_t begin = 0; begin < 10; begin += 4) {
      std::set<int32_t> words;
      for (int64_t row = begin; row < std::min<int64_t>(begin + 4, 10); ++row) {
        for (const int32_t token : data->tokens(row)) words.insert(token);
      }
      most = std::max(most, words.size());
    }
    return 23552 - (testing::kTinyVocabulary - static_cast<int64_t>(most)) * 16 * 4;
  }

  mutable CostMemo memo;
  std::unique_ptr<Dataset> data = make_dataset(tiny_features("train", 10), {"0", "1"});
  std::unique_ptr<Model> student = tiny_bert(1), teacher = tiny_bert(2);
  TrainSettings settings;
};

TEST_F(TrainingCostTest, StepsKeepTheLastPartialBatch) {
  const TrainingCost found = plan_student(1);
  EXPECT_EQ(found.steps_per_epoch, 3);
  EXPECT_EQ(found.epochs, 2);
  EXPECT_EQ(found.steps, 6);
  EXPECT_EQ(found.updates, 6);
}

TEST_F(TrainingCostTest, PhasesHaveTheirOwnEpochsAndUpdates) {
  Phase first = phase("match", {kStudent});
  first.epochs = 3;
  const TrainingCost found = cost({first, phase("train", {kTeacher, kStudent})}, 2);
  ASSERT_EQ(found.phases.size(), 2U);
  EXPECT_EQ(found.phases[0].steps, 9);
  EXPECT_EQ(found.phases[0].updates, 9);
  EXPECT_EQ(found.phases[1].steps, 6);
  EXPECT_EQ(found.phases[1].updates, 12);
  EXPECT_EQ(found.steps, 15);
  EXPECT_EQ(found.updates, 21);
  EXPECT_EQ(found.epochs, 5);
  // Both models' gradients, each in one bucket and the rows of its words, and the losses of both
  // updates.
  EXPECT_EQ(found.traffic.allreduces, 6);
  EXPECT_EQ(found.traffic.gradient_bytes, 2 * gradient_bytes());
}

TEST_F(TrainingCostTest, OneRankHasTheWholeBatch) {
  const TrainingCost found = plan_student(1);
  EXPECT_EQ(found.shares.fewest_rows, 2);  // the last batch
  EXPECT_EQ(found.shares.most_rows, 4);
  EXPECT_EQ(found.shares.largest_pass, 34);
  EXPECT_DOUBLE_EQ(found.shares.balance, 1.0);
  EXPECT_EQ(found.traffic.allreduces, 0);
  EXPECT_EQ(found.traffic.gradient_bytes, 0);
}

// Longest first, to the least loaded: 12 | 10 | 5 + 3, then 14 | 9 | 7 + 4, then 11 | 6 | nothing.
TEST_F(TrainingCostTest, ThreeRanksWaitForTheFullest) {
  const TrainingCost found = plan_student(3);
  EXPECT_EQ(found.shares.fewest_rows, 0);
  EXPECT_EQ(found.shares.most_rows, 2);
  EXPECT_EQ(found.shares.largest_pass, 14);
  EXPECT_DOUBLE_EQ(found.shares.balance, 81.0 / (3 * (12 + 14 + 11)));
  EXPECT_EQ(found.traffic.allreduces, 3);
  EXPECT_EQ(found.traffic.gradient_bytes, gradient_bytes());
}

TEST_F(TrainingCostTest, MoreRanksThanRowsLeaveSharesEmpty) {
  const TrainingCost found = plan_student(100);
  EXPECT_EQ(found.shares.fewest_rows, 0);
  EXPECT_EQ(found.shares.most_rows, 1);
  EXPECT_EQ(found.steps, 6);
  EXPECT_DOUBLE_EQ(found.shares.balance, 81.0 / (100 * (12 + 14 + 11)));
}

TEST_F(TrainingCostTest, MicroBatchesMakePassesSmaller) {
  settings.micro_batch = 2;
  EXPECT_EQ(plan_student(1).shares.largest_pass, 21);  // 7 + 14
}

// The tiny BERT has 5874 parameters in a buffer of 5888 floats (the classifier's two biases fill up
// to sixteen). A token leaves 2 H + (8 H + 2 I) + 4 H floats, and backward takes 3 H + 2 I: 400.
TEST_F(TrainingCostTest, MemoryOfARank) {
  settings.checkpoint = "best";
  const RamCost memory = plan_student(1).ram;
  EXPECT_EQ(memory.values, 23552);
  EXPECT_EQ(memory.gradients, 23552);
  EXPECT_EQ(memory.moments, 2 * 23552);
  EXPECT_EQ(memory.best, 2 * 23552);  // a new one beside the old
  EXPECT_EQ(memory.activations, 4 * 400 * 34);
  EXPECT_EQ(memory.total(), 6 * 23552 + 54400);
  // A second model that does not learn has no moments; without dev rows there is no best.
  const RamCost two = cost({phase("distill", {kStudent})}, 1, false).ram;
  EXPECT_EQ(two.values, 2 * 23552);
  EXPECT_EQ(two.moments, 2 * 23552);
  EXPECT_EQ(two.best, 0);
  // Low precision computes with a copy, of all but the words.
  settings.precision = "bf16";
  EXPECT_EQ(plan_student(1).ram.values, 23552 + 2 * (5888 - testing::kTinyVocabulary * 16));
  settings.precision = "fp32";
  // Best weights that nobody asks for are not kept.
  settings.checkpoint = "last";
  EXPECT_EQ(plan_student(1).ram.best, 0);
  Phase second = phase("tune", {kStudent});
  second.start = StartWeights::kBestOfPreviousPhase;
  EXPECT_EQ(cost({phase("distill", {kStudent}), second}, 1).ram.best, 2 * 23552);
}

// Forward of L tokens: 128 L^2 + 5632 L + 3136; the rows have sum(L) = 81 and sum(L^2) = 777.
TEST_F(TrainingCostTest, WorkIsThreeForwardPassesOfEveryRow) {
  EXPECT_DOUBLE_EQ(plan_student(3).flops, 2 * 3.0 * (128 * 777 + 5632 * 81 + 10 * 3136));
}

TEST(GradientBuckets, CutTheBufferInOrder) {
  const int64_t whole = int64_t{1} << 20;
  ParameterLayout layout;
  layout.add("weight", {2 * whole + 16});
  layout.freeze();
  const auto buckets = gradient_buckets(layout, at::kCPU);
  ASSERT_EQ(buckets.size(), 3U);
  EXPECT_EQ(buckets[1].begin, whole);
  EXPECT_EQ(buckets[1].size(), whole);
  EXPECT_EQ(buckets[2].begin, 2 * whole);
  EXPECT_EQ(buckets[2].size(), 16);
}

// The buffer has the segments in reverse: after (16), words (5 x 3 and a gap), before (32).
TEST(GradientBuckets, LeaveTablesOfTokensOut) {
  ParameterLayout layout;
  layout.add("before", {32});
  layout.add_token_table("words", {5, 3});
  layout.add("after", {16});
  layout.freeze();
  const auto buckets = gradient_buckets(layout, at::kCPU);
  ASSERT_EQ(buckets.size(), 2U);
  EXPECT_EQ(buckets[0].begin, 0);
  EXPECT_EQ(buckets[0].size(), 16);
  EXPECT_EQ(buckets[1].begin, 32);
  EXPECT_EQ(buckets[1].size(), 32);
  const auto tables = token_tables(layout);
  ASSERT_EQ(tables.size(), 1U);
  EXPECT_EQ(tables[0].begin, 16);
  EXPECT_EQ(tables[0].span(4).end, 31);
}

// Every float is one rank's, also where there are fewer than ranks.
TEST(GradientBuckets, RanksShareARange) {
  for (const int64_t floats : {0, 5, 16, 33, 1000}) {
    for (const int64_t ranks : {1, 2, 3, 7}) {
      int64_t end = 48;
      for (const auto& part : split_range({48, 48 + floats}, ranks)) {
        EXPECT_EQ(part.begin, end);
        EXPECT_EQ(part.begin % 16, part.size() > 0 ? 0 : part.begin % 16);
        end = part.end;
      }
      EXPECT_EQ(end, 48 + floats);
    }
  }
}

}  // namespace
}  // namespace kdbench::training_cost_test
