// SPDX-License-Identifier: MIT
#include "reports/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/error.h"
#include "reports/statistics.h"
#include "tests/support/temp_folder.h"

namespace kdbench {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json run(const std::string& task, const std::string& label, int seed, const json& last,
         double samples, double seconds) {
  return {{"schema_version", 1},
          {"status", "done"},
          {"task", task},
          {"label", label},
          {"role", label == "teacher" ? "teacher" : "student"},
          {"seed", seed},
          {"checkpoint", "last"},
          {"metrics", {{"last", last}, {"best", last}}},
          {"samples", samples},
          {"time", {{"train_s", seconds}}},
          {"epochs", 3},
          {"parameters", 12340000}};
}

json dev(double accuracy, double f1) { return {{"dev", {{"accuracy", accuracy}, {"f1", f1}}}}; }

TEST(Statistics, SampleDeviation) {
  EXPECT_DOUBLE_EQ(mean({1, 2, 3, 4}), 2.5);
  EXPECT_DOUBLE_EQ(standard_deviation({2, 4}), 1.4142135623730951);
  EXPECT_DOUBLE_EQ(standard_deviation({5}), 0.0);
  EXPECT_EQ(mean_text({0.5}, 3), "0.500");
  EXPECT_EQ(mean_text({}, 3), "-");
}

TEST(Comparison, GoldenTable) {
  json failed = run("MRPC", "kd", 3, json::object(), 0, 0);
  failed["status"] = "failed";
  failed["reason"] = "loss is not finite";
  const std::vector<json> runs{run("MRPC", "kd", 1, dev(0.70, 0.80), 1000, 10),
                               run("MRPC", "kd", 2, dev(0.72, 0.82), 1000, 30), failed,
                               run("SST-2", "finetune", 1, {{"dev", {{"accuracy", 0.9}}}}, 50, 2),
                               run("MRPC", "teacher", 1, dev(0.75, 0.85), 1000, 20)};
  // clang-format off
  EXPECT_EQ(write_console(comparison_table(runs)),
      "task   method               n       accuracy             f1  params (M)  epochs  train s  samples/s\n"
      "-----  --------  ------------  -------------  -------------  ----------  ------  -------  ---------\n"
      "MRPC   teacher              1          0.750          0.850       12.34       3     20.0       50.0\n"
      "MRPC   kd        2 (1 failed)  0.710 (0.014)  0.810 (0.014)       12.34       3     20.0       50.0\n"
      "SST-2  finetune             1          0.900              -       12.34       3      2.0       25.0\n"
      "Dev scores, mean (sd with n - 1) over n runs; last checkpoint unless marked; train s: mean of a run; "
      "samples/s: all samples over all seconds.\n"
      "MRPC kd seed 3: failed: loss is not finite\n");
  // clang-format on
}

TEST(Comparison, BestCheckpointIsMarked) {
  json best = run("MRPC", "kd", 1, dev(0.70, 0.80), 10, 1);
  best["checkpoint"] = "best";
  best["metrics"]["best"] = dev(0.76, 0.86);
  const Table table = comparison_table({best});
  EXPECT_EQ(table.rows[0][1], "kd *");
  EXPECT_EQ(table.rows[0][3], "0.760");
  EXPECT_EQ(table.notes.at(1), "*: best checkpoint, selected on dev.");
}

TEST(Comparison, MatchedAndMismatchedAreTwoColumns) {
  const json metrics{{"dev_matched", {{"accuracy", 0.8}}}, {"dev_mismatched", {{"accuracy", 0.7}}}};
  const Table table = comparison_table({run("MNLI", "kd", 1, metrics, 10, 1)});
  EXPECT_EQ(table.header[3], "accuracy");
  EXPECT_EQ(table.header[4], "accuracy dev_mismatched");
  EXPECT_EQ(table.rows[0][4], "0.700");
}

TEST(ReadRuns, SkipsStagesAndUnfinishedRuns) {
  const testing::TempFolder folder;
  const std::string text = run("RTE", "kd", 1, dev(1, 1), 1, 1).dump();
  folder.write("exp/b/run.json", text);
  folder.write("exp/a/run.json", text);
  folder.write("exp/a/model/run.json", text);
  folder.write("exp/c.partial/run.json", text);
  folder.write(".stages/0123/run.json", text);
  EXPECT_EQ(read_runs({folder.path()}).size(), 2u);
  EXPECT_EQ(read_runs({folder / "exp/a", folder / "exp"}).size(), 2u);
}

TEST(ReadRuns, NamesWhatCannotBeRead) {
  const testing::TempFolder folder;
  const auto message = [&] {
    try {
      read_runs({folder.path()});
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUserInput);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_THAT(message(), HasSubstr("no finished run"));
  folder.write("a/run.json", "{");
  EXPECT_THAT(message(), HasSubstr("a/run.json: cannot be read as JSON"));
  folder.write("a/run.json", R"({"schema_version": 99})");
  EXPECT_THAT(message(), HasSubstr("schema_version 99 is newer"));
}

}  // namespace
}  // namespace kdbench
