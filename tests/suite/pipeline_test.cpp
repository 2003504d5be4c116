// SPDX-License-Identifier: MIT
// Stages are reused, changed inputs make new ones, and what cannot work is refused before training.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "io/base/error.h"
#include "io/weights/safetensors.h"
#include "reports/comparison.h"
#include "reports/pairing.h"
#include "suite/walks/make.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_data.h"

namespace kdbench::pipeline_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

// What the CSV file of a table says in a row's column.
std::string csv_field(const Table& table, size_t row, const std::string& name) {
  for (size_t c = 0; c < table.header.size(); ++c) {
    if (table.header[c].name != name) continue;
    const Cell& cell = table.rows.at(row).at(c);
    return cell.value ? fmt::format("{}", *cell.value) : cell.text;
  }
  return "no column " + name;
}

class Pipeline : public ::testing::Test {
 protected:
  ExperimentRuns run(const fs::path& file, const std::vector<std::string>& overrides) {
    const Control control(MPI_COMM_SELF);
    const auto collectives = make_collectives(control, at::kCPU);
    const Workspace workspace{control, *collectives, at::kCPU, 1, out.path(), "pipeline test"};
    return make_experiment(load_experiment(file, overrides), workspace);
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
  const fs::path file = testing::test_data("parity/kd-rte/experiment.toml");
  const ExperimentRuns first = run(file, {});
  EXPECT_EQ(first.done, 1);
  ASSERT_EQ(first.runs.size(), 2U);  // the student and its teacher
  const ExperimentRuns again = run(file, {});
  EXPECT_EQ(again.done, 0);
  EXPECT_EQ(again.reused, 1);
  EXPECT_EQ(again.runs, first.runs);
  const ExperimentRuns shorter = run(file, {"train.epochs=1"});
  EXPECT_EQ(shorter.done, 1);
  EXPECT_NE(shorter.runs.front(), first.runs.front());
  EXPECT_EQ(shorter.runs.back(), first.runs.back());
  // The table of an invocation has its own runs only.
  const Table table = comparison_table(read_runs(shorter.runs));
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(csv_field(table, 0, "n"), "1");
  EXPECT_EQ(csv_field(table, 1, "n"), "1");
  // A report on all of them has a row for each of the settings.
  const Table all = comparison_table(read_runs({out.path()}));
  ASSERT_EQ(all.rows.size(), 3U);
  EXPECT_EQ(csv_field(all, 0, "method"), "teacher");
  EXPECT_THAT((std::vector{csv_field(all, 1, "method"), csv_field(all, 2, "method")}),
              UnorderedElementsAre("kd [epochs=3]", "kd [epochs=1]"));
}

TEST_F(Pipeline, ALongerFinetuneIsARowOfItsOwn) {
  const fs::path experiment =
      out.write("experiment.toml", fmt::format(R"(name = "budget"
[data]
root = "{}"
tasks = ["RTE"]
max_seq_length = 40
[student]
weights = "{}"
[train]
batch_size = 8
epochs = 1
seeds = [1, 2]
[[method]]
name = "finetune"
[[method]]
name = "finetune"
label = "finetune-long"
[method.train]
epochs = 2
)",
                                               testing::test_data("rows").string(),
                                               testing::test_data("models/rte-student").string()));
  const auto runs = read_runs(run(experiment, {}).runs);
  const Table table = comparison_table(runs);
  ASSERT_EQ(table.rows.size(), 2U);
  EXPECT_EQ(csv_field(table, 0, "method"), "finetune");
  EXPECT_EQ(csv_field(table, 0, "steps"), "5");
  EXPECT_EQ(csv_field(table, 1, "method"), "finetune-long");
  EXPECT_EQ(csv_field(table, 1, "epochs"), "2");
  EXPECT_EQ(csv_field(table, 1, "steps"), "10");
  const Table paired = paired_table(runs);
  ASSERT_EQ(paired.rows.size(), 1U);
  EXPECT_EQ(csv_field(paired, 0, "pairs"), "2");
  EXPECT_EQ(csv_field(paired, 0, "steps_ratio"), "2");
}

// The names that scripts rely on.
TEST_F(Pipeline, RunJsonHoldsWhatWasMeasured) {
  const fs::path file = testing::test_data("parity/kd-rte/experiment.toml");
  for (const auto& record : read_runs(run(file, {}).runs)) {
    for (const char* key :
         {"schema_version", "run_id", "status", "reason", "started", "ended", "command", "config",
          "config_hash", "git", "build", "system", "slurm", "data", "teacher", "seed", "metrics",
          "peak_memory_bytes", "parameters"}) {
      EXPECT_TRUE(record.contains(key)) << key;
    }
    EXPECT_EQ(record["metrics"]["last"]["dev"].size(), 1U);  // RTE: accuracy
    EXPECT_EQ(record["metrics"]["best"]["dev"].size(), 1U);
    EXPECT_GT(record["peak_memory_bytes"], 1 << 20);
    const auto& throughput = record["throughput"];
    const auto& time = record["time"];
    for (const char* key :
         {"init_s", "compute_s", "wait_s", "comm_exposed_s", "data_s", "eval_s"}) {
      EXPECT_GE(time.at(key), 0.0) << key;
    }
    EXPECT_GT(throughput.at("predicted_samples_per_s_global"), 0.0);
    EXPECT_GT(time.at("predict_s"), 0.0);
    EXPECT_DOUBLE_EQ(time.at("core_s"), time.at("train_s"));  // 1 rank of 1 thread
    if (record["role"] == "teacher") continue;                // used as it is
    EXPECT_EQ(record["epochs"], 3);
    EXPECT_EQ(record["steps"], 15);
    EXPECT_EQ(record["samples"], 3 * 36);
    EXPECT_DOUBLE_EQ(
        throughput.at("samples_per_s_global").get<double>() * time.at("train_s").get<double>(),
        108.0);
    EXPECT_GT(throughput.at("tokens_per_s_global"), throughput["samples_per_s_global"]);
    EXPECT_GT(throughput.at("model_flops_per_s_global"), throughput["tokens_per_s_global"]);
  }
}

TEST_F(Pipeline, ARunRecordsWhatItRead) {
  const fs::path file = testing::test_data("parity/finetune-rte/experiment.toml");
  const auto runs = read_runs(run(file, {"train.epochs=1"}).runs);
  ASSERT_EQ(runs.size(), 1U);
  EXPECT_EQ(runs[0]["status"], "done");
  EXPECT_EQ(runs[0]["data"]["splits"]["train"]["rows"], 36);
  EXPECT_EQ(runs[0]["data"]["max_seq_length"], 40);
  EXPECT_EQ(runs[0]["config"]["data"]["tasks"][0]["name"], "RTE");
  EXPECT_EQ(runs[0]["steps"], 5);
}

TEST_F(Pipeline, AFrozenTeacherNeedsATrainedHead) {
  const fs::path file = testing::test_data("parity/kd-rte/experiment.toml");
  const fs::path weights = out / "headless";
  fs::copy(testing::test_data("models/rte-teacher"), weights);
  TensorMap tensors = read_safetensors(weights / "model.safetensors");
  std::erase_if(tensors, [](const auto& tensor) { return tensor.first.starts_with("classifier"); });
  write_safetensors(weights / "model.safetensors", tensors);
  EXPECT_THAT(refusal(file, {"teacher.weights=" + weights.string()}),
              HasSubstr("is used without training"));
}

TEST_F(Pipeline, ADivergedTeacherFailsItsStudentsAndIsTriedAgain) {
  const fs::path file = testing::test_data("parity/kd-rte/experiment.toml");
  const std::vector<std::string> diverge = {"teacher.train.learning_rate=1e30",
                                            "teacher.train.warmup=0.0", "train.epochs=3"};
  const ExperimentRuns result = run(file, diverge);
  EXPECT_EQ(result.failed, 1);
  const auto runs = read_runs(result.runs);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0]["reason"].get<std::string>(),
            "its teacher failed: " + runs[1]["reason"].get<std::string>());
  EXPECT_EQ(runs[1]["role"], "teacher");
  EXPECT_EQ(runs[1]["status"], "failed");
  const ExperimentRuns again = run(file, diverge);
  EXPECT_EQ(again.failed, 1);
  EXPECT_EQ(again.runs.back().string(), result.runs.back().string() + "-2");
  const auto record = read_runs({again.runs.back()});
  EXPECT_EQ(record[0]["run_id"], again.runs.back().filename().string());
}

TEST_F(Pipeline, MistakesAreFoundBeforeTraining) {
  const fs::path file = testing::test_data("parity/kd-rte/experiment.toml");
  const std::string text =
      refusal(file, {"teacher.train.best_metric=f1", "student.init=skip-layers", "student.layers=3",
                     "student.init_from=teacher"});
  EXPECT_THAT(text, HasSubstr("RTE has no metric 'f1'"));
  EXPECT_FALSE(fs::exists(out.path() / "kd-rte"));
}

}  // namespace
}  // namespace kdbench::pipeline_test
