// SPDX-License-Identifier: MIT
#include "suite/results/run_record.h"

#include <gtest/gtest.h>

#include <limits>

#include "io/base/error.h"
#include "tests/support/temp_folder.h"

namespace kdbench::run_record_test {
namespace {

namespace fs = std::filesystem;
using testing::read_text;
using testing::TempFolder;

TEST(RunRecord, FolderIsPartialUntilFinished) {
  const TempFolder folder;
  RunRecord record(folder / "exp/run", true);
  record.json()["loss"] = 0.1;
  record.begin();
  const auto begun = nlohmann::json::parse(read_text(folder / "exp/run.partial/run.json"));
  EXPECT_EQ(begun.at("status"), "running");
  EXPECT_EQ(begun.at("loss").get<double>(), 0.1);
  record.finish("done");
  EXPECT_FALSE(fs::exists(folder / "exp/run.partial"));
  const auto json = nlohmann::json::parse(read_text(folder / "exp/run/run.json"));
  EXPECT_EQ(json.at("status"), "done");
  EXPECT_EQ(json.at("reason"), "");
  EXPECT_EQ(json.at("loss").get<double>(), 0.1);
}

TEST(RunRecord, EventsAreLinesThatAreThereAtOnce) {
  const TempFolder folder;
  RunRecord record(folder / "run", true);
  record.event({{"type", "step"}, {"loss", 1.0 / 3.0}});
  record.event({{"type", "step"}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  const std::string text = read_text(folder / "run.partial/events.jsonl");
  EXPECT_EQ(text,
            "{\"loss\":0.3333333333333333,\"type\":\"step\"}\n{\"loss\":null,\"type\":\"step\"}\n");
}

TEST(RunRecord, PredictionsUseLabelStringsAndNineDigits) {
  const TempFolder folder;
  RunRecord record(folder / "run", true);
  Predictions predictions;
  predictions.row_ids = {0, 2};
  predictions.classes = 2;
  predictions.logits = {0.1f, -2.0f, -1e-7f, 3.14159274f};
  record.predictions(find_task("RTE"), "dev", predictions, {"entailment", "not_entailment"});
  EXPECT_EQ(read_text(folder / "run.partial/predictions/RTE-dev.tsv"),
            "index\tprediction\n0\tentailment\n2\tnot_entailment\n");
  EXPECT_EQ(read_text(folder / "run.partial/predictions/RTE-dev-logits.tsv"),
            "index\tlogit0\tlogit1\n0\t0.100000001\t-2\n2\t-1.00000001e-07\t3.14159274\n");
}

TEST(RunRecord, ScoresArePredictedAsTheyAre) {
  const TempFolder folder;
  RunRecord record(folder / "run", true);
  Predictions predictions;
  predictions.row_ids = {7};
  predictions.classes = 1;
  predictions.logits = {2.5f};
  record.predictions(find_task("STS-B"), "test", predictions, {});
  EXPECT_EQ(read_text(folder / "run.partial/predictions/STS-B-test.tsv"),
            "index\tprediction\n7\t2.5\n");
}

TEST(RunRecord, NeverOverwritesButReplacesWhatWasLeftOver) {
  const TempFolder folder;
  folder.write("run.partial/stale", "x");
  {
    RunRecord record(folder / "run", true);
    EXPECT_FALSE(fs::exists(folder / "run.partial/stale"));
    record.finish("failed", "loss is not finite");
  }
  try {
    RunRecord again(folder / "run", true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUserInput);
  }
}

TEST(RunRecord, OtherRanksWriteNothing) {
  const TempFolder folder;
  RunRecord record(folder / "run", false);
  record.event({{"type", "step"}});
  record.finish("done");
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(RunRecord, TimeIsUtc) {
  const std::string now = utc_now();
  ASSERT_EQ(now.size(), 20u);
  EXPECT_EQ(now[10], 'T');
  EXPECT_EQ(now.back(), 'Z');
}

}  // namespace
}  // namespace kdbench::run_record_test
