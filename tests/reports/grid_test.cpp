// SPDX-License-Identifier: MIT
// Grids: the point that stands for each, by the mean dev score, and the table of all points.
#include "reports/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reports/comparison.h"
#include "reports/pairing.h"
#include "tests/reports/made_up_run.h"

namespace kdbench::grid_test {
namespace {

using nlohmann::json;
using ::testing::Contains;
using testing::dev_scores;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::made_up_run;
using testing::not_done;

// A run of kd's grid over alpha and train.epochs.
json point(const std::string& task, const std::string& alpha, const std::string& epochs, int seed,
           const json& scores) {
  const std::string label = "kd[alpha=" + alpha + ",train.epochs=" + epochs + "]";
  json run = made_up_run(task, label, seed, scores, 10);
  run["method"] = "kd";
  run["grid"] = {{"label", "kd"}, {"point", {{"alpha", alpha}, {"train.epochs", epochs}}}};
  return run;
}

// MRPC (selected by F1): the best seed is at 0.2, the best mean at 0.5; one point failed. SST-2:
// the best is at 0.2.
std::vector<json> runs() {
  return {made_up_run("MRPC", "finetune", 1, dev_scores(0.70, 0.60), 10),
          made_up_run("MRPC", "finetune", 2, dev_scores(0.70, 0.60), 10),
          point("MRPC", "0.2", "10", 1, dev_scores(0.99, 0.90)),
          point("MRPC", "0.2", "10", 2, dev_scores(0.99, 0.50)),
          point("MRPC", "0.5", "3", 1, dev_scores(0.60, 0.75)),
          point("MRPC", "0.5", "3", 2, dev_scores(0.60, 0.73)),
          not_done(point("MRPC", "0.2", "3", 1, {}), "failed", "loss is not finite"),
          point("SST-2", "0.2", "3", 1, {{"dev", {{"accuracy", 0.9}}}}),
          point("SST-2", "0.5", "3", 1, {{"dev", {{"accuracy", 0.8}}}})};
}

std::vector<std::string> labels(const std::vector<json>& all) {
  std::vector<std::string> found;
  for (const auto& group : compared_groups(all)) found.push_back(group.task + " " + group.label);
  return found;
}

TEST(Grid, TheBestMeanOfEachTaskStandsForIt) {
  EXPECT_THAT(labels(runs()), ElementsAre("MRPC finetune", "MRPC kd[alpha=0.5,train.epochs=3]",
                                          "SST-2 kd[alpha=0.2,train.epochs=3]"));
  auto by_accuracy = runs();
  for (auto& run : by_accuracy) run["inputs"]["train"]["best_metric"] = "accuracy";
  EXPECT_THAT(labels(by_accuracy), Contains("MRPC kd[alpha=0.2,train.epochs=10]"));
}

TEST(Grid, OfEqualsTheSmallerValues) {
  const json scores = dev_scores(0.7, 0.7);
  const std::vector<json> equal{point("MRPC", "0.5", "10", 1, scores),
                                point("MRPC", "0.5", "3", 1, scores)};
  EXPECT_THAT(labels(equal), ElementsAre("MRPC kd[alpha=0.5,train.epochs=3]"));
  EXPECT_THAT(labels({not_done(equal[0], "failed", ""), not_done(equal[1], "failed", "")}),
              ElementsAre("MRPC kd[alpha=0.5,train.epochs=3]"));
}

TEST(Grid, PointsWithFewerSeedsAreSaid) {
  const std::string note = "MRPC kd: the grid's points differ in finished seeds.";
  auto all = runs();
  EXPECT_THAT(comparison_table(all).notes, ::testing::Not(Contains(note)));
  all.push_back(point("MRPC", "0.5", "10", 1, dev_scores(0.1, 0.1)));
  EXPECT_THAT(comparison_table(all).notes, Contains(note));
}

TEST(Grid, ComparisonSaysThatItWasSelected) {
  const Table table = comparison_table(runs());
  EXPECT_THAT(write_csv(table),
              HasSubstr("\nexp,MRPC,\"kd[alpha=0.5,train.epochs=3]\",last,3,2,0,0,"));
  EXPECT_THAT(write_csv(table), HasSubstr("\nexp,MRPC,finetune,last,,2,0,0,"));
  EXPECT_THAT(write_console(table),
              HasSubstr("kd[alpha=0.5,train.epochs=3]  best of 3 (1 failed)"));
  EXPECT_THAT(table.notes,
              Contains("grid: the point with the best dev score (mean over its seeds; accuracy, "
                       "f1) stands for all. Selected on the same dev rows: its scores are too "
                       "high."));
  EXPECT_THAT(write_summary(runs()), HasSubstr("\nGrids\n"));
}

TEST(Grid, TableHasEveryPoint) {
  // clang-format off
  EXPECT_EQ(write_console(grid_table(runs())),
      "Grids\n"
      "task   method  alpha  train.epochs             n       accuracy             f1  core s  selected\n"
      "-----  ------  -----  ------------  ------------  -------------  -------------  ------  --------\n"
      "MRPC   kd        0.2             3  0 (1 failed)              -              -       -  -\n"
      "MRPC   kd        0.2            10             2  0.990 (0.000)  0.700 (0.283)    20.0  -\n"
      "MRPC   kd        0.5             3             2  0.600 (0.000)  0.740 (0.014)    20.0  best\n"
      "SST-2  kd        0.2             3             1          0.900              -    20.0  best\n"
      "SST-2  kd        0.5             3             1          0.800              -    20.0  -\n"
      "best: of its task's points, by the mean dev score over its seeds.\n");
  EXPECT_THAT(write_csv(grid_table(runs())),
      HasSubstr("experiment,task,method,alpha,train.epochs,n,failed,stopped,accuracy_mean,accuracy_sd,f1_mean,f1_sd,core_s_mean,selected\n"
                "exp,MRPC,kd,0.2,3,0,1,0,,,,,,\n"));
  // clang-format on
  EXPECT_TRUE(grid_table({made_up_run("MRPC", "kd", 1, dev_scores(0.7, 0.7), 1)}).rows.empty());
}

TEST(Grid, PairsAreOfTheBestPointOnly) {
  const Table table = paired_table(runs());
  ASSERT_EQ(table.rows.size(), 1U);
  EXPECT_EQ(shown(table.header[2], table.rows[0][2]), "kd[alpha=0.5,train.epochs=3]");
  EXPECT_THAT(table.notes, Contains(HasSubstr("Of a grid only the best point is compared")));
}

}  // namespace
}  // namespace kdbench::grid_test
