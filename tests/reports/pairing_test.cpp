// SPDX-License-Identifier: MIT
// What is said of the seeds one by one: differences of pairs, and the spread.
#include "reports/pairing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/spread.h"
#include "tests/reports/made_up_run.h"

namespace kdbench::pairing_test {
namespace {

using nlohmann::json;
using testing::dev_scores;
using ::testing::HasSubstr;
using testing::made_up_run;
using testing::not_done;

json longer(json run) {
  run["method"] = "finetune";
  run["steps"] = 192;
  return run;
}

// kd has seeds 1, 2, 4; finetune 1, 2, 3 (and 4, which failed); finetune-long 1.
std::vector<json> runs() {
  return {made_up_run("MRPC", "finetune", 1, dev_scores(0.70, 0.80), 10),
          made_up_run("MRPC", "finetune", 2, dev_scores(0.60, 0.70), 10),
          made_up_run("MRPC", "finetune", 3, dev_scores(0.10, 0.10), 99),
          not_done(made_up_run("MRPC", "finetune", 4, {}, 1), "failed", "no reason"),
          longer(made_up_run("MRPC", "finetune-long", 1, dev_scores(0.73, 0.82), 20)),
          made_up_run("MRPC", "kd", 1, dev_scores(0.72, 0.80), 11),
          made_up_run("MRPC", "kd", 2, dev_scores(0.66, 0.68), 14),
          made_up_run("MRPC", "kd", 4, dev_scores(0.99, 0.99), 99),
          made_up_run("MRPC", "teacher", 1, dev_scores(0.80, 0.90), 99)};
}

TEST(Paired, OnlySeedsOfBothCount) {
  // clang-format off
  EXPECT_EQ(write_console(paired_table(runs())),
      "task  method         against        checkpoint  pairs        accuracy              f1  steps ratio  core s ratio\n"
      "----  -------------  -------------  ----------  -----  --------------  --------------  -----------  ------------\n"
      "MRPC  finetune-long  finetune       last            1          +0.030          +0.020         2.00          2.00\n"
      "MRPC  kd             finetune       last            2  +0.040 (0.028)  -0.010 (0.014)         1.00          1.25\n"
      "MRPC  kd             finetune-long  last            1          -0.010          -0.020         0.50          0.55\n"
      "Mean (sd with n - 1) of the differences between runs of the same seed, method minus finetune; "
      "ratios are of sums over the pairs.\n");
  // clang-format on
  EXPECT_THAT(write_csv(paired_table(runs())),
              HasSubstr("pairs,accuracy_difference_mean,accuracy_difference_sd,"));
}

// Above 2^53 neighbours are one double.
TEST(Paired, SeedsAreExact) {
  json base = made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1);
  json own = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  base["seed"] = int64_t{9007199254740992};
  own["seed"] = int64_t{9007199254740993};
  EXPECT_TRUE(paired_table({base, own}).rows.empty());
  base["seed"] = own["seed"];
  EXPECT_EQ(paired_table({base, own}).rows.size(), 1U);
  EXPECT_THAT(write_csv(spread_table({base, own})), HasSubstr("9007199254740993: 0.700"));
}

TEST(Paired, RunsOnOtherRowsAreNoPair) {
  json base = made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1);
  json own = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  base["data"] = own["data"] = {{"max_seq_length", 64},
                                {"train_limit", 0},
                                {"splits", {{"train", {{"source_sha256", "a"}}}}}};
  EXPECT_EQ(paired_table({base, own}).rows.size(), 1U);
  own["data"]["splits"]["train"]["source_sha256"] = "b";
  Table table = paired_table({base, own});
  EXPECT_TRUE(table.rows.empty());
  EXPECT_THAT(table.notes.back(),
              HasSubstr("kd and finetune: runs that differ in the rows of train are not paired"));
  own["data"]["max_seq_length"] = 128;
  table = paired_table({base, own});
  EXPECT_THAT(table.notes.back(), HasSubstr("differ in max_seq_length (128, 64) are not paired"));
}

TEST(Paired, NoRowsWithoutFinetune) {
  EXPECT_TRUE(paired_table({made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1)}).rows.empty());
  json other = made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1);
  other["experiment"] = "another";
  EXPECT_TRUE(
      paired_table({other, made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1)}).rows.empty());
}

TEST(Paired, AnAssistantIsNotCompared) {
  const Table table = paired_table({made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1),
                                    made_up_run("MRPC", "assistant", 1, dev_scores(0.7, 0.8), 1),
                                    made_up_run("MRPC", "takd", 1, dev_scores(0.7, 0.8), 1)});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0][2].text, "takd");
}

TEST(Paired, SelectedAgainstLastSaysSo) {
  json best = made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.8), 1);
  best["checkpoint"] = "best";
  const Table table =
      paired_table({best, made_up_run("MRPC", "finetune", 1, dev_scores(0.7, 0.8), 1)});
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(table.rows[0][4].text, "best against last");
}

TEST(Spread, FewRunsShowAllValues) {
  // clang-format off
  EXPECT_EQ(write_console(spread_table({runs()[0], runs()[1], runs()[2]})),
      "task  method    checkpoint  metric    n  median    min    max  by seed\n"
      "----  --------  ----------  --------  -  ------  -----  -----  ----------------------------\n"
      "MRPC  finetune  last        accuracy  3   0.600  0.100  0.700  1: 0.700, 2: 0.600, 3: 0.100\n"
      "MRPC  finetune  last        f1        3   0.700  0.100  0.800  1: 0.800, 2: 0.700, 3: 0.100\n"
      "median 95: order statistics that hold the median with at least 95 %; with fewer than 6 runs "
      "there are none, all values count.\n");
  // clang-format on
}

TEST(Spread, SixRunsHaveAnInterval) {
  std::vector<json> six;
  for (int seed = 1; seed <= 6; ++seed) {
    six.push_back(made_up_run("SST-2", "kd", seed, {{"dev", {{"accuracy", 0.1 * seed}}}}, 1));
  }
  EXPECT_THAT(write_console(spread_table(six)),
              HasSubstr("SST-2  kd      last        accuracy  6   0.350          0.100           "
                        "0.600  0.100  0.600  1: 0.100, 2: 0.200,"));
}

}  // namespace
}  // namespace kdbench::pairing_test
