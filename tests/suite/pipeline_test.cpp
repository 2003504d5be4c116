// SPDX-License-Identifier: MIT
// Stages are reused, changed inputs make new ones, and what cannot work is refused before training.
#include "suite/stages/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/error.h"
#include "reports/comparison.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Pipeline : public ::testing::Test {
 protected:
  PipelineResult run(const fs::path& file, const std::vector<std::string>& overrides) {
    const Control control(MPI_COMM_SELF);
    const auto collectives = make_collectives(control, at::kCPU);
    const Workspace workspace{control, *collectives, at::kCPU, 1, out.path(), "pipeline test"};
    return run_experiment(load_experiment(file, overrides), workspace);
  }

  std::string refusal(const fs::path& file, const std::vector<std::string>& overrides) {
    try {
      run(file, overrides);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUserInput);
      return error.what();
    }
    return "";
  }

  testing::TempFolder out;
};

TEST_F(Pipeline, FinishedRunsAreReusedAndOtherSettingsMakeNewOnes) {
  KDBENCH_NEED_SHARED(folder, "fixtures/parity/kd-rte/experiment.toml");
  const PipelineResult first = run(folder, {});
  EXPECT_EQ(first.done, 1);
  ASSERT_EQ(first.runs.size(), 2U);  // the student and its teacher
  const PipelineResult again = run(folder, {});
  EXPECT_EQ(again.done, 0);
  EXPECT_EQ(again.reused, 1);
  EXPECT_EQ(again.runs, first.runs);
  const PipelineResult shorter = run(folder, {"train.epochs=1"});
  EXPECT_EQ(shorter.done, 1);
  EXPECT_NE(shorter.runs.front(), first.runs.front());
  EXPECT_EQ(shorter.runs.back(), first.runs.back());
  // The table of an invocation has its own runs only.
  const Table table = comparison_table(read_runs(shorter.runs));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(table.rows[1][2], "1");
}

TEST_F(Pipeline, ARunRecordsWhatItRead) {
  KDBENCH_NEED_SHARED(folder, "fixtures/parity/finetune-rte/experiment.toml");
  const auto runs = read_runs(run(folder, {"train.epochs=1"}).runs);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0]["status"], "done");
  EXPECT_EQ(runs[0]["data"]["splits"]["train"]["rows"], 36);
  EXPECT_EQ(runs[0]["data"]["max_seq_length"], 40);
  EXPECT_EQ(runs[0]["config"]["data"]["tasks"][0]["name"], "RTE");
  EXPECT_EQ(runs[0]["steps"], 5);
}

TEST_F(Pipeline, AFrozenTeacherNeedsATrainedHead) {
  KDBENCH_NEED_SHARED(folder, "fixtures/parity/kd-rte/experiment.toml");
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  EXPECT_THAT(refusal(folder, {"teacher.weights=" + weights.string()}),
              HasSubstr("is used without training"));
}

TEST_F(Pipeline, ADivergedTeacherFailsItsStudentsAndIsTriedAgain) {
  KDBENCH_NEED_SHARED(folder, "fixtures/parity/kd-rte/experiment.toml");
  const std::vector<std::string> diverge = {"teacher.train.learning_rate=1e30",
                                            "teacher.train.warmup=0.0", "train.epochs=3"};
  const PipelineResult result = run(folder, diverge);
  EXPECT_EQ(result.failed, 1);
  const auto runs = read_runs(result.runs);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0]["reason"], "its teacher failed");
  EXPECT_EQ(runs[1]["role"], "teacher");
  EXPECT_EQ(runs[1]["status"], "failed");
  EXPECT_EQ(run(folder, diverge).failed, 1);
}

TEST_F(Pipeline, MistakesAreFoundBeforeTraining) {
  KDBENCH_NEED_SHARED(folder, "fixtures/parity/kd-rte/experiment.toml");
  const std::string text =
      refusal(folder, {"teacher.train.best_metric=f1", "student.init=skip-layers",
                       "student.layers=3", "student.init_from=teacher"});
  EXPECT_THAT(text, HasSubstr("RTE has no metric 'f1'"));
  EXPECT_FALSE(fs::exists(out.path() / "kd-rte"));
}

}  // namespace
}  // namespace kdbench
