// SPDX-License-Identifier: MIT
// A run's record holds what concerns the run; the whole experiment stands beside the runs once.
#include "suite/results/experiment_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "io/base/sha256.h"
#include "reports/run_files.h"
#include "suite/walks/make.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/grid_experiment.h"
#include "tests/support/user_error.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::ElementsAre;
using testing::ExperimentFolder;
using testing::read_text;
using testing::TempFolder;

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(ExperimentRecord, RunsOfALargeGridHaveSmallRecords) {
  const TempFolder folder;
  const Experiment experiment =
      load_experiment(folder.write("experiment.toml", testing::kGridExperiment), {});
  ASSERT_EQ(experiment.methods.size(), static_cast<size_t>(testing::kGridPoints));
  const auto point = std::find_if(experiment.methods.begin(), experiment.methods.end(),
                                  [](const auto& method) { return method.grid == "fsd-IL"; });
  const Control control(MPI_COMM_SELF);
  const auto collectives = make_collectives(control, at::kCPU);
  const Workspace workspace{control, *collectives, at::kCPU, 1, folder / "out", "test"};
  const ExperimentRuns result =
      make_experiment(experiment, workspace, {{"STS-B"}, {point->label}, {}});
  ASSERT_EQ(result.runs.size(), 2U);  // the student and its teacher
  const auto files = names_in(folder / "out/grid/experiments");
  ASSERT_EQ(files.size(), 1U);
  const std::string hash = fs::path(files.front()).stem();
  const std::string whole = read_text(folder / ("out/grid/experiments/" + files.front()));
  EXPECT_GT(whole.size(), 500'000U);
  EXPECT_EQ(json_hash(json::parse(whole)), hash);
  EXPECT_EQ(json::parse(whole)["methods"].size(), static_cast<size_t>(testing::kGridPoints));
  for (const auto& run : result.runs) {
    EXPECT_LT(fs::file_size(run / "run.json"), 20'000U);
    const json record = json::parse(read_text(run / "run.json"));
    EXPECT_EQ(record["status"], "done");
    EXPECT_EQ(record["config_hash"], hash);
    const json& config = record["config"];
    EXPECT_EQ(config["name"], "grid");
    ASSERT_EQ(config["data"]["tasks"].size(), 1U);
    EXPECT_EQ(config["data"]["tasks"][0]["name"], "STS-B");
    EXPECT_EQ(config["teacher"]["train"].size(), 1U);
    EXPECT_EQ(config["methods"].size(), record["role"] == "teacher" ? 0U : 1U);
    for (const auto& method : config["methods"]) EXPECT_EQ(method["label"], point->label);
  }
  EXPECT_EQ(read_runs({folder / "out"}).size(), 2U);
}

TEST(ExperimentRecord, OtherSettingsAreAnotherFile) {
  const ExperimentFolder folder;
  const fs::path out = folder / "out";
  const Experiment first = folder.load(testing::kExperiment);
  const std::string hash = record_experiment(first, out);
  const fs::path file = out / "tiny/experiments" / (hash + ".json");
  EXPECT_EQ(json_hash(json::parse(read_text(file))), hash);
  const auto written = fs::last_write_time(file);
  EXPECT_EQ(record_experiment(first, out), hash);
  EXPECT_EQ(fs::last_write_time(file), written);
  const std::string other =
      record_experiment(folder.load(testing::kExperiment, {"train.epochs=3"}), out);
  EXPECT_NE(other, hash);
  std::vector<std::string> names{hash + ".json", other + ".json"};
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names_in(out / "tiny/experiments"), names);
}

// What `inspect --experiment` writes is the same experiment, and its runs are found again.
TEST(ExperimentRecord, IsAnExperimentFileAgain) {
  const TempFolder folder;
  const Control control(MPI_COMM_SELF);
  const auto collectives = make_collectives(control, at::kCPU);
  const Workspace workspace{control, *collectives, at::kCPU, 1, folder / "out", "test"};
  const Experiment first =
      load_experiment(folder.write("experiment.toml", testing::kGridExperiment),
                      {"data.tasks=['STS-B']", "train.epochs=1"});
  const std::string label = first.methods.back().label;
  const Selection selection{{}, {label}, {}};
  const ExperimentRuns made = make_experiment(first, workspace, selection);
  ASSERT_EQ(made.runs.size(), 2U);
  for (const auto& run : made.runs) {
    const std::string text = recorded_experiment(run);
    const json record = read_run_json(run);
    EXPECT_NE(text.find(record.at("run_id")), std::string::npos);
    EXPECT_NE(
        text.find(record.at("role") == "teacher"
                      ? "kdbench finetune FILE --tasks STS-B --seeds 1"
                      : "kdbench distill FILE --tasks STS-B --method '" + label + "' --seeds 1"),
        std::string::npos);
    const Experiment again = load_experiment(folder.write("again.toml", text), {});
    EXPECT_EQ(record_experiment(again, folder / "elsewhere"), record.at("config_hash"));
    const ExperimentRuns found = make_experiment(again, workspace, selection);
    EXPECT_EQ(found.reused, 1);
    EXPECT_EQ(found.runs, made.runs);
    // Folders of a grid's points are names that no shell expands.
    EXPECT_EQ(run.filename().string().find_first_of("[]{}()*?,= '\"$&;|<>!~"), std::string::npos);
  }
  const fs::path file =
      folder / "out/grid/experiments" / names_in(folder / "out/grid/experiments").at(0);
  const Experiment whole =
      load_experiment(folder.write("whole.toml", recorded_experiment(file)), {});
  EXPECT_EQ(json_hash(whole.to_json()), file.stem());
  const std::string damaged = testing::user_error_of([&] {
    folder.write("out/grid/experiments/" + file.filename().string(), "{}");
    recorded_experiment(file);
  });
  EXPECT_NE(damaged.find("is not what was written"), std::string::npos);
}

// Two tasks; kd has another alpha on MRPC, and a student of its own beside another method.
const std::string kTwoTasks = R"(name = "two"
[data]
root = "data"
tasks = ["RTE", "MRPC"]
max_seq_length = 32
[task.MRPC.data]
train_limit = 5
[teacher]
weights = "teacher"
[teacher.train]
epochs = 4
[student]
weights = "student"
[train]
epochs = 2
[[method]]
name = "finetune"
[[method]]
name = "kd"
alpha = 0.5
[method.student]
weights = "teacher"
[method.task.MRPC]
alpha = 0.25
[method.task.MRPC.train]
epochs = 7
)";

TEST(RunConfig, HoldsTheStudentsOwnTaskAndMethod) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(kTwoTasks);
  const json config = run_config(experiment, find_task("MRPC"), &experiment.methods.at(1));
  EXPECT_EQ(config["data"]["tasks"],
            json({{{"name", "MRPC"}, {"max_seq_length", 32}, {"train_limit", 5}}}));
  EXPECT_EQ(config["teacher"]["train"]["MRPC"]["epochs"], 4);
  EXPECT_EQ(config["teacher"]["train"].size(), 1U);
  EXPECT_EQ(config["student"]["weights"], (folder / "teacher").string());
  ASSERT_EQ(config["methods"].size(), 1U);
  const json& method = config["methods"][0];
  EXPECT_EQ(method["label"], "kd");
  EXPECT_EQ(method["options"]["alpha"], 0.25);
  EXPECT_FALSE(method.contains("task_options"));
  EXPECT_EQ(method["train"].size(), 1U);
  EXPECT_EQ(method["train"]["MRPC"]["epochs"], 7);
  // On the other task.
  const json other = run_config(experiment, find_task("RTE"), &experiment.methods.at(1));
  EXPECT_EQ(other["methods"][0]["options"]["alpha"], 0.5);
  EXPECT_EQ(other["methods"][0]["train"]["RTE"]["epochs"], 2);
}

TEST(RunConfig, OfATeacherHoldsNoMethod) {
  const ExperimentFolder folder;
  const json config = run_config(folder.load(kTwoTasks), find_task("RTE"), nullptr);
  EXPECT_EQ(config["name"], "two");
  EXPECT_EQ(config["teacher"]["weights"], (folder / "teacher").string());
  EXPECT_EQ(config["teacher"]["train"].size(), 1U);
  EXPECT_TRUE(config["methods"].empty());
}

}  // namespace
}  // namespace kdbench
