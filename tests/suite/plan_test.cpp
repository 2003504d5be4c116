// SPDX-License-Identifier: MIT
// The plan of an experiment against what its run then does: the same steps, sizes, names and files.
#include "suite/walks/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "reports/comparison.h"
#include "suite/config/experiment_text.h"
#include "suite/stages/sources/output_budget.h"
#include "suite/stages/sources/teacher_outputs_stage.h"
#include "suite/walks/make.h"
#include "suite/walks/plan_text.h"
#include "tests/suite/tiny_experiment.h"
#include "tests/support/user_error.h"

namespace kdbench::plan_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

using testing::kHeader;

class PlanTest : public testing::TinyExperiment {
 protected:
  Plan plan(int ranks, const std::vector<std::string>& overrides = {}) const {
    return make_plan(load(overrides), {.ranks = ranks}, workspace());
  }
  std::string refusal(const std::vector<std::string>& overrides = {}) const {
    return testing::user_error_of([&] { plan(1, overrides); });
  }
};

TEST_F(PlanTest, WritesNothing) {
  plan(4);
  EXPECT_FALSE(fs::exists(folder / "out"));
}

TEST_F(PlanTest, ListsDataTrainingsAndStagesInTheirOrder) {
  const Plan found = plan(1);
  ASSERT_EQ(found.splits.size(), 2U);
  EXPECT_EQ(found.splits[0].split, "train");
  EXPECT_EQ(found.splits[0].rows, 7);
  // [CLS] a b [SEP] c [SEP], three of the rows with one word more.
  EXPECT_EQ(found.splits[0].tokens, 7 * 6 + 3);
  EXPECT_EQ(found.splits[0].longest, 7);
  EXPECT_EQ(found.splits[1].split, "dev");

  ASSERT_EQ(found.work.size(), 2U);
  EXPECT_EQ(found.work[0].label, "teacher");
  EXPECT_EQ(found.work[0].seeds, std::vector<int64_t>{1});
  EXPECT_EQ(found.work[0].training.steps, 6);  // ceil(7 / 4) x 3
  EXPECT_EQ(found.work[1].label, "kd");
  EXPECT_EQ(found.work[1].seeds, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(found.work[1].training.steps, 4);
  EXPECT_EQ(found.work[1].teacher_outputs, 7 * (8 + 2 * 4));

  std::vector<std::string> kinds;
  for (const auto& stage : found.stages) {
    kinds.push_back(stage.kind);
    EXPECT_FALSE(stage.reused);
  }
  EXPECT_EQ(kinds,
            (std::vector<std::string>{"features", "teacher", "teacher-outputs", "run", "run"}));
}

TEST_F(PlanTest, ForAnotherMachine) {
  const PlanTarget target{.ranks = 64,
                          .ranks_per_host = 16,
                          .memory_bytes = int64_t{8} << 30,
                          .disk_bytes = int64_t{5} << 30,
                          .flops_per_s = 1e9};
  const Plan found = make_plan(load(), target, workspace());
  EXPECT_EQ(found.limits.ranks_per_host, 16);
  EXPECT_EQ(found.limits.available_memory, int64_t{8} << 30);
  EXPECT_EQ(found.limits.free_disk, int64_t{5} << 30);
  double flops = 0.0;
  for (const auto& stage : found.stages) flops += stage.flops;
  EXPECT_NEAR(found.seconds(), flops / (64 * 0.5e9), 1e-9 * found.seconds());
}

TEST_F(PlanTest, OfSomeRunsAlone) {
  Selection second;
  second.seeds = {2};
  const auto kinds = [&](const Selection& selection, ExperimentPart part) {
    std::vector<std::string> found;
    for (const auto& stage : make_plan(load(), {.ranks = 1}, workspace(), selection, part).stages)
      found.push_back(stage.kind);
    return found;
  };
  EXPECT_EQ(kinds(second, ExperimentPart::kAll),
            (std::vector<std::string>{"features", "teacher", "teacher-outputs", "run"}));
  EXPECT_EQ(kinds({}, ExperimentPart::kTeachers),
            (std::vector<std::string>{"features", "teacher"}));
}

TEST_F(PlanTest, NamesAndStepsAreThoseOfTheRun) {
  const Plan before = plan(1);
  const ExperimentRuns result = make_experiment(load(), workspace());
  ASSERT_EQ(result.done, 2);
  const auto runs = read_runs(result.runs);  // students, then the teacher
  ASSERT_EQ(runs.size(), 3U);
  for (size_t i = 0; i < runs.size(); ++i) {
    const WorkPlan& work = before.work[i < 2 ? 1 : 0];
    EXPECT_EQ(runs[i]["steps"], work.training.steps);
    EXPECT_EQ(runs[i]["epochs"], work.training.epochs);
    EXPECT_EQ(runs[i]["parameters"], work.parameters);
    const double seconds = runs[i]["time"]["train_s"];
    const double rate = runs[i]["throughput"]["model_flops_per_s_global"];
    EXPECT_NEAR(rate * seconds, work.training.flops, 1e-6 * work.training.flops);
  }
  for (const auto& stage : before.stages) {
    const fs::path made = folder / "out" / (stage.kind == "run" ? "tiny" : ".stages") / stage.name;
    EXPECT_TRUE(fs::is_directory(made)) << made;
  }
  const Plan after = plan(1);
  ASSERT_EQ(after.stages.size(), before.stages.size());
  for (size_t i = 0; i < after.stages.size(); ++i) {
    EXPECT_TRUE(after.stages[i].reused) << after.stages[i].what;
    EXPECT_EQ(after.stages[i].name, before.stages[i].name);
  }
  EXPECT_EQ(after.new_disk_bytes(), 0);
  EXPECT_EQ(after.splits[0].tokens, before.splits[0].tokens);  // now read from the store
  // Another number of ranks reuses the same.
  EXPECT_TRUE(plan(100).stages.back().reused);
}

TEST_F(PlanTest, WhatIsThereIsReplacedWhereThatIsAskedFor) {
  const auto files = [&] {
    std::map<fs::path, fs::file_time_type> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder / "out")) {
      if (entry.is_regular_file() && entry.path().parent_path().filename() != "locks")
        found[entry.path()] = entry.last_write_time();
    }
    return found;
  };
  // Of a student whose name needs the teacher's weights, too.
  for (const std::vector<std::string>& overrides :
       {std::vector<std::string>{}, {"student.init=first-layers", "student.init_from=teacher"}}) {
    const auto first = read_runs(make_experiment(load(overrides), workspace()).runs);
    const auto before = files();
    const Plan again = make_plan(load(overrides), {.ranks = 1}, workspace(), {},
                                 ExperimentPart::kAll, Existing::kReplace);
    EXPECT_TRUE(std::none_of(again.stages.begin(), again.stages.end(),
                             [](const StagePlan& stage) { return stage.reused; }));
    EXPECT_EQ(files(), before);

    const ExperimentRuns made =
        make_experiment(load(overrides), workspace(), {}, ExperimentPart::kAll, Existing::kReplace);
    EXPECT_EQ(made.done, 2);
    EXPECT_EQ(made.reused, 0);
    const auto runs = read_runs(made.runs);
    ASSERT_EQ(runs.size(), first.size());
    for (size_t i = 0; i < runs.size(); ++i) {
      EXPECT_EQ(runs[i]["run_id"], first[i]["run_id"]);
      EXPECT_EQ(runs[i]["metrics"], first[i]["metrics"]);
      const fs::path record = fs::path(runs[i]["folder"].get<std::string>()) / "run.json";
      EXPECT_NE(fs::last_write_time(record), before.at(record)) << record;
    }
    const auto after = files();
    EXPECT_EQ(after.size(), before.size());
    for (const auto& stage : again.stages) {
      const fs::path record = folder / "out" / ".stages" / stage.name / "stage.json";
      if (stage.kind == "run") continue;
      EXPECT_NE(after.at(record), before.at(record)) << record;
    }
  }
}

TEST_F(PlanTest, SizesAreThoseOfTheFiles) {
  const Plan before = plan(1);
  make_experiment(load(), workspace());
  const auto size_of = [&](size_t stage, const std::string& file) {
    return static_cast<int64_t>(
        fs::file_size(folder / "out" / ".stages" / before.stages[stage].name / file));
  };
  constexpr int64_t kStructures = 32 << 10;  // HDF5's own, at most
  const int64_t features = size_of(0, "features.h5"), outputs = size_of(2, "teacher.h5");
  EXPECT_GE(features, before.stages[0].bytes);
  EXPECT_LT(features, before.stages[0].bytes + kStructures);
  EXPECT_GE(outputs, before.stages[2].bytes);
  EXPECT_LT(outputs, before.stages[2].bytes + kStructures);
  EXPECT_NEAR(static_cast<double>(size_of(1, "run/model/model.safetensors")),
              4.0 * static_cast<double>(before.work[0].parameters), 8192);
}

TEST_F(PlanTest, FewerRowsThanRanksAreFineAndSaidSo) {
  const Plan found = plan(100);
  EXPECT_EQ(found.ranks, 100);
  EXPECT_EQ(found.work[1].training.shares.fewest_rows, 0);
  EXPECT_EQ(found.work[1].training.shares.most_rows, 1);
  EXPECT_THAT(plan_text(found), HasSubstr("at least 96 of 100 ranks have no rows"));
  EXPECT_THAT(plan_text(plan(3)), ::testing::Not(HasSubstr("have no rows")));
}

TEST_F(PlanTest, AStudentOfTheTeachersWeightsHasNoNameYet) {
  const std::vector<std::string> overrides{"student.init=first-layers",
                                           "student.init_from=teacher"};
  const Plan before = plan(1, overrides);
  EXPECT_EQ(before.stages.back().name, "");
  EXPECT_THAT(plan_text(before), HasSubstr("depends on the teacher's weights"));
  make_experiment(load(overrides), workspace());
  const Plan after = plan(1, overrides);
  EXPECT_TRUE(after.stages.back().reused);
  EXPECT_THAT(after.stages.back().name, HasSubstr("RTE-kd-s2-"));
}

// A folder of its own for temporary files, while it lives.
class TemporaryFiles {
 public:
  TemporaryFiles() {
    fs::last_write_time(folder_.path(), kLongAgo);
    setenv("TMPDIR", folder_.path().c_str(), 1);
  }
  ~TemporaryFiles() { setenv("TMPDIR", before_.c_str(), 1); }

  bool were_made() const { return fs::last_write_time(folder_.path()) != kLongAgo; }
  bool are_gone() const { return fs::is_empty(folder_.path()); }

 private:
  static constexpr fs::file_time_type kLongAgo{};
  const std::string before_ = fs::temp_directory_path().string();
  const testing::TempFolder folder_;
};

TEST_F(PlanTest, SyntheticCorporaAreNotLeftAnywhere) {
  const TemporaryFiles temporary;
  const Plan found = plan(2, {"data.root=synthetic", "data.tasks=['SST-2']"});
  EXPECT_EQ(found.stages.front().kind, "synthetic");
  EXPECT_EQ(found.stages.front().name.size(), 16U);
  EXPECT_GT(found.stages.front().bytes, 0);
  EXPECT_GT(found.splits.front().rows, 100);
  EXPECT_FALSE(fs::exists(folder / "out"));
  EXPECT_TRUE(temporary.were_made());
  EXPECT_TRUE(temporary.are_gone());
}

TEST_F(PlanTest, EveryProblemIsListedOnce) {
  folder.write("data/RTE/dev.tsv", std::string(kHeader) + "0\ta\tb\tperhaps\n");
  const std::string text = refusal({"teacher.vocabulary=4"});
  for (const char* problem : {"the model's embedding 4 rows", "dev.tsv:2"}) {
    EXPECT_THAT(text, HasSubstr(problem));
    EXPECT_EQ(text.find(problem), text.rfind(problem)) << text;
  }
}

TEST_F(PlanTest, ResolvedExperimentShowsEveryKey) {
  const std::string text = experiment_text(load());
  for (const char* part : {"batch_size = 4", "temperature = 5.0", "alpha = 0.5", "layers = 2",
                           "max_seq_length = 16", "dropout = (not set)", "seeds = [1,2]"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  // Only what differs stands in the table.
  EXPECT_THAT(text, HasSubstr("task  method   epochs\n"));
  EXPECT_THAT(text, HasSubstr("RTE   teacher       3\n"));
  EXPECT_THAT(text, HasSubstr("RTE   kd            2\n"));
  const std::string by_task = experiment_text(load({"method.kd.task.RTE.temperature=9"}));
  EXPECT_THAT(by_task, HasSubstr("on RTE"));
  EXPECT_THAT(by_task, HasSubstr("temperature = 9.0"));
}

TEST(OutputBudget, BytesOfAStore) {
  ModelShapes shapes;
  shapes.outputs = 2;
  shapes.teacher.emplace().hidden = 768;
  TeacherNeeds needs;
  EXPECT_EQ(teacher_outputs_bytes(1000, needs, shapes), 0);
  needs.logits = true;
  EXPECT_EQ(teacher_outputs_bytes(1000, needs, shapes), 16000);
  needs.cls_layers = {2, 4, 6};
  EXPECT_EQ(teacher_outputs_bytes(1000, needs, shapes), 9232000);
  // Hidden states stay on the disk: 5 tokens x 2 layers x 768 floats, 2 offsets and 2 layers.
  needs.hidden_layers = {5, 11};
  EXPECT_EQ(teacher_outputs_bytes(1, needs, shapes), 9232);
  FeatureSlice row;
  row.row_ids = {0};
  row.offsets = {0, 5};
  EXPECT_EQ(teacher_store_bytes(FeatureSplit(row), needs, shapes),
            9232 + 5 * 2 * 768 * 4 + 2 * 8 + 2 * 8);
}

TEST(OutputBudget, HalfOfWhatIsFree) {
  const OutputBudget budget = output_budget(100, 1200, 3);
  EXPECT_EQ(budget.disk, 50);
  EXPECT_EQ(budget.memory, 200);
}

// Seven rows with two logits and an id: 112 bytes.
Features seven_rows() {
  FeatureSlice train;
  train.row_ids = {0, 1, 2, 3, 4, 5, 6};
  Features features;
  features.hash = "features";
  features.store.splits["train"] = std::make_shared<FeatureSplit>(train);
  return features;
}

using Labels = std::vector<std::string>;

// The budget against the stores of an experiment's methods on seven rows.
class OnlineTest : public PlanTest {
 protected:
  // `teachers`: one for each seed, or one for all.
  Labels online(const Experiment& experiment, OutputBudget& budget, bool each = false) const {
    std::vector<ResolvedMethod> methods;
    for (const auto& method : experiment.methods) {
      methods.push_back(resolve(experiment, find_task("RTE"), method));
    }
    const Features rows = seven_rows();
    const StoreSite site{
        {{std::string(), {rows.hash, rows.store.split(kTrainSplit)}}},
        [&](int64_t seed) { return each ? std::to_string(seed) : std::string("teacher"); },
        folder / "out"};
    return methods_online(methods, site, budget);
  }
  Labels online(const Experiment& experiment, OutputBudget&& budget) const {
    return online(experiment, budget);
  }
};

TEST_F(OnlineTest, OnlyAutoIsHeldToTheBudget) {
  const Experiment automatic = load(), stored = load({"method.kd.teacher_outputs=store"});
  EXPECT_EQ(online(automatic, {1000, 112}), Labels{});
  EXPECT_EQ(online(stored, {0, 111}), Labels{});
  EXPECT_EQ(online(automatic, {1000, 111}), Labels{"kd"});
}

// Each teacher of per_seed has a store, and each task its own.
TEST_F(OnlineTest, TheDiskIsForTheStoresOfAllTeachersAndTasks) {
  const Experiment one = load(), each = load({"teacher.per_seed=true", "train.seeds=[1,2,3]"});
  OutputBudget budget{1000, 1000};
  EXPECT_EQ(online(one, budget), Labels{});
  const int64_t store = 1000 - budget.disk;
  EXPECT_GE(store, 112);
  EXPECT_EQ(budget.memory, 1000);

  budget.disk = 3 * store;
  EXPECT_EQ(online(each, budget, true), Labels{});
  EXPECT_EQ(budget.disk, 0);
  EXPECT_EQ(online(one, budget), Labels{"kd"});
  budget.disk = 3 * store - 1;
  EXPECT_EQ(online(each, budget, true), Labels{"kd"});
  EXPECT_EQ(budget.disk, 3 * store - 1);
}

TEST_F(OnlineTest, WhatIsStoredAlreadyNeedsMemoryAlone) {
  const Experiment experiment = load();
  TeacherNeeds logits;
  logits.logits = true;
  const StageKey key = teacher_outputs_key("teacher", seven_rows().hash, logits);
  folder.write(fs::path("out/.stages") / key.hash() / "stage.json", "{}");
  OutputBudget budget{0, 112};
  EXPECT_EQ(online(experiment, budget), Labels{});
  EXPECT_EQ(budget.disk, 0);
  budget.memory = 111;
  EXPECT_EQ(online(experiment, budget), Labels{"kd"});
}

}  // namespace
}  // namespace kdbench::plan_test
