// SPDX-License-Identifier: MIT
#include "reports/scaling.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "reports/run_files.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::scaling_test {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;

ScalingRun run_of(int ranks, int64_t batch, double step_s, double loss) {
  ScalingRun run;
  run.ranks = ranks;
  run.batch = batch;
  run.step_s = std::vector<double>(20, step_s);
  run.losses = {2.0, loss};
  run.train_s = 10.0;
  run.comm_exposed_s = ranks - 1.0;
  run.wait_s = 0.5;
  return run;
}

TEST(ScalingPoints, StrongScalingByHand) {
  const auto points = scaling_points({run_of(4, 32, 0.030, 1.0), run_of(1, 32, 0.100, 1.0),
                                      run_of(2, 32, 0.050, 1.01), run_of(1, 32, 0.100, 1.0)});
  ASSERT_EQ(points.size(), 3);
  EXPECT_EQ(points[0].ranks, 1);
  EXPECT_EQ(points[0].runs, 2);
  EXPECT_DOUBLE_EQ(points[0].samples_per_s, 320);
  EXPECT_DOUBLE_EQ(points[0].efficiency, 1);
  EXPECT_DOUBLE_EQ(points[1].speed_up, 2);
  EXPECT_DOUBLE_EQ(points[1].comm_exposed, 0.1);
  EXPECT_THAT(points[1].loss_difference, DoubleNear(0.01, 1e-12));
  EXPECT_THAT(points[2].speed_up, DoubleNear(10.0 / 3, 1e-12));
  EXPECT_THAT(points[2].efficiency, DoubleNear(10.0 / 12, 1e-12));
  EXPECT_DOUBLE_EQ(points[2].ideal_samples_per_s, 4 * 320);
  EXPECT_DOUBLE_EQ(points[2].imbalance, 0.05);
}

TEST(ScalingPoints, WeakScalingFromTwoRanks) {
  const auto points = scaling_points({run_of(2, 32, 0.1, 1), run_of(4, 64, 0.125, 1)});
  EXPECT_DOUBLE_EQ(points[1].speed_up, 1.6);
  EXPECT_DOUBLE_EQ(points[1].efficiency, 0.8);
}

TEST(ScalingPoints, WithoutAnIntervalNothingIsCertain) {
  ScalingRun few = run_of(1, 32, 0.1, 1);
  few.step_s = {0.1, 0.1, 0.1};
  EXPECT_DOUBLE_EQ(scaling_points({few})[0].half_width, 1);
  EXPECT_DOUBLE_EQ(scaling_points({run_of(1, 32, 0.1, 1)})[0].half_width, 0);
}

void write_run(const std::filesystem::path& folder, const std::string& status, int steps) {
  std::filesystem::create_directories(folder);
  nlohmann::json record{{"schema_version", 2},
                        {"status", status},
                        {"reason", status == "done" ? "" : "no rows"},
                        {"system", {{"ranks", 2}, {"threads_per_rank", 1}, {"hosts", {"a"}}}},
                        {"time",
                         {{"train_s", 4.0},
                          {"compute_s", 3.0},
                          {"wait_s", 0.25},
                          {"comm_exposed_s", 0.5},
                          {"data_s", 0.125}}}};
  record["record_sha256"] = record_sha256(record);
  std::ofstream(folder / kRunJson) << record.dump();
  std::ofstream events(folder / "events.jsonl");
  for (int step = 0; step < steps; ++step) {
    const bool last = step + 1 == steps;
    events << nlohmann::json{{"type", "step"},
                             {"loss", 1.0 / (step + 1)},
                             {"step_s", 0.01 * (step + 1)},
                             {"samples", last ? 3 : 8}}
           << "\n{\"type\":\"evaluation\"}\n";
  }
}

TEST(ReadScalingRun, TakesWholeStepsBehindTheFirst) {
  const testing::TempFolder folder;
  write_run(folder / "run", "done", 7);
  const ScalingRun run = read_scaling_run((folder / "run").string());
  EXPECT_EQ(run.ranks, 2);
  EXPECT_EQ(run.hosts, 1);
  EXPECT_EQ(run.batch, 8);
  EXPECT_THAT(run.step_s, ::testing::ElementsAre(0.04, 0.05, 0.06));
  EXPECT_EQ(run.losses.size(), 7);
  EXPECT_DOUBLE_EQ(run.wait_s, 0.25);
}

TEST(ReadScalingRun, RefusesWhatSaysNothing) {
  const testing::TempFolder folder;
  const auto refusal = [&](const std::string& name) {
    return testing::user_error_of([&] { read_scaling_run((folder / name).string()); });
  };
  write_run(folder / "failed", "failed", 7);
  write_run(folder / "short", "done", 3);
  EXPECT_THAT(refusal("failed"), HasSubstr("no rows"));
  EXPECT_THAT(refusal("short"), HasSubstr("not more than 3 steps"));
  EXPECT_THAT(refusal("nowhere"), HasSubstr("is no finished run"));
}

}  // namespace
}  // namespace kdbench::scaling_test
