// SPDX-License-Identifier: MIT
// How an experiment is divided among jobs, and what a job's script says.
#include "suite/walks/job_plan.h"

#include <gmock/gmock.h>

#include "suite/jobs/job_book.h"
#include "suite/jobs/job_script.h"
#include "suite/jobs/slurm_client.h"
#include "suite/walks/make.h"
#include "tests/suite/tiny_experiment.h"
#include "tests/support/source_folders.h"
#include "tests/support/user_error.h"

namespace kdbench::job_plan_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

class JobPlanTest : public testing::TinyExperiment {
 protected:
  std::vector<JobGroup> jobs(const std::vector<std::string>& overrides = {},
                             const Selection& selection = {}) const {
    return plan_jobs(load(overrides), selection, {.ranks = 2, .flops_per_s = 1e9}, workspace());
  }
  // "teachers: RTE kd seed 1 missing"
  std::vector<std::string> units(const std::vector<std::string>& overrides = {}) const {
    std::vector<std::string> found;
    for (const auto& group : jobs(overrides)) {
      for (const auto& unit : group.units)
        found.push_back(group_name(group.group) + ": " + unit.name() + " " + unit.state);
    }
    return found;
  }
  void add(const std::string& methods) const {
    std::ofstream(folder / "experiment.toml", std::ios::app) << methods;
  }
};

TEST_F(JobPlanTest, OneTeacherServesAllStudents) {
  EXPECT_THAT(units(),
              ElementsAre("prepare: RTE missing", "teachers: RTE kd seed 1 missing",
                          "outputs: RTE kd seed 1 missing", "students: RTE kd seed 1 missing",
                          "students: RTE kd seed 2 missing"));
}

TEST_F(JobPlanTest, UnitsKeepTheirPlacesWhateverIsDone) {
  make_experiment(load(), workspace(), {}, ExperimentPart::kAll, Existing::kReuse,
                  {StageGroup::kTeachers});
  EXPECT_THAT(units(),
              ElementsAre("prepare: RTE done", "teachers: RTE kd seed 1 done",
                          "outputs: RTE kd seed 1 missing", "students: RTE kd seed 1 missing",
                          "students: RTE kd seed 2 missing"));
  make_experiment(load(), workspace(), {{}, {}, {2}});
  const auto groups = jobs();
  EXPECT_TRUE(groups[3].units[1].done());
  EXPECT_THAT(groups[3].units[0].after, IsEmpty());
}

TEST_F(JobPlanTest, ATeacherForEachSeedIsAJobEach) {
  EXPECT_THAT(units({"teacher.per_seed=true"}),
              ElementsAre("prepare: RTE missing", "teachers: RTE kd seed 1 missing",
                          "teachers: RTE kd seed 2 missing", "outputs: RTE kd seed 1 missing",
                          "outputs: RTE kd seed 2 missing", "students: RTE kd seed 1 missing",
                          "students: RTE kd seed 2 missing"));
}

TEST_F(JobPlanTest, AssistantsComeAfterTeachers) {
  add("[[method]]\nname = \"takd\"\n[assistant]\narchitecture = \"bert\"\nlayers = 1\nhidden = "
      "16\nheads = 2\nintermediate = 32\nmax_positions = 16\ntokenizer = \"tokenizer\"\n"
      "[assistant.train]\nepochs = 1\n");
  const auto groups = jobs({"train.seeds=[1]"});
  std::vector<std::string> names;
  for (const auto& group : groups) names.push_back(group_name(group.group));
  EXPECT_THAT(names, ElementsAre("prepare", "teachers", "assistants", "outputs", "students"));
  EXPECT_THAT(groups[2].units[0].after,
              ElementsAre(Pair(StageGroup::kPrepare, 0U), Pair(StageGroup::kTeachers, 0U)));
}

TEST_F(JobPlanTest, AStudentWaitsForWhatItNeedsAlone) {
  add("[[method]]\nname = \"finetune\"\n");
  const auto students = jobs({"train.seeds=[1]"}).back().units;
  EXPECT_THAT(students[0].after,
              ElementsAre(Pair(StageGroup::kPrepare, 0U), Pair(StageGroup::kTeachers, 0U),
                          Pair(StageGroup::kOutputs, 0U)));
  EXPECT_THAT(students[1].after, ElementsAre(Pair(StageGroup::kPrepare, 0U)));
}

TEST_F(JobPlanTest, AFailureIsKnownWithItsReason) {
  make_experiment(load({"teacher.train.learning_rate=1e30"}), workspace());
  const auto groups = jobs({"teacher.train.learning_rate=1e30"});
  EXPECT_EQ(groups[1].units[0].state, "failed");
  EXPECT_THAT(groups[1].units[0].why, HasSubstr("not finite"));
}

TEST_F(JobPlanTest, EarlierRunsTellTheSpeed) {
  const fs::path results = folder / "out/tiny";
  EXPECT_EQ(measured_runs(results, "cpu").flops_per_s, 0.0);
  make_experiment(load(), workspace());
  const double speed = measured_runs(results, "cpu").flops_per_s;
  EXPECT_GT(measured_runs(results, "cpu").rank_bytes, 0);
  EXPECT_GT(speed, 0.0);
  EXPECT_EQ(measured_runs(results, "cuda").flops_per_s, 0.0);
  PlanTarget target{.ranks = 1, .training_flops_per_s = speed};
  const auto made_again = load({"train.epochs=4"});
  const auto once = plan_jobs(made_again, {}, target, workspace()).back().seconds;
  target.training_flops_per_s = speed / 2;
  EXPECT_DOUBLE_EQ(plan_jobs(made_again, {}, target, workspace()).back().seconds, 2 * once);
}

JobSettings settings() {
  JobSettings settings;
  settings.experiment = "tiny";
  settings.program = "/opt/kdbench/build/kdbench";
  settings.working = "/home/me/my work";
  settings.results = "/scratch/me/results/tiny";
  settings.arguments = {"/home/me/tiny.toml", "--out", "/scratch/me/results", "--set",
                        "train.seeds=[1, 2]"};
  settings.report = "/home/me/jobs/report";
  settings.nodes = 2;
  settings.ranks_per_node = 4;
  settings.cpus_per_rank = 8;
  settings.at_once = 3;
  return settings;
}

JobGroup students() {
  JobGroup group;
  group.group = StageGroup::kStudents;
  group.units = {{.task = "RTE", .label = "kd[alpha=0.5]", .seed = 1},
                 {.task = "RTE", .label = "kd[alpha=0.5]", .seed = 2},
                 {.task = "MRPC", .label = "it's", .seed = 1}};
  group.computes = true;
  group.host_bytes = int64_t{3} << 30;
  group.seconds = 4000;
  return group;
}

std::string golden(const std::string& name) {
  return testing::read_text(fs::path(testing::kTestData) / "jobs" / name);
}

TEST(JobScript, IsTheGoldenFile) {
  EXPECT_EQ(job_script(students(), settings()), golden("students.sh"));
  EXPECT_EQ(report_script(settings()), golden("report.sh"));
  JobSettings gpus = settings();
  gpus.gpus = true;
  gpus.at_once = 0;
  gpus.time_known = false;
  JobGroup prepare;
  prepare.units = {{.task = "RTE"}};
  EXPECT_EQ(job_script(prepare, gpus), golden("prepare.sh"));
  EXPECT_THAT(job_script(students(), gpus),
              HasSubstr("--time=1-00:00:00\n#SBATCH --gpus-per-task"));
}

TEST(JobScript, NumbersAreRanges) {
  EXPECT_EQ(number_ranges({1}), "1");
  EXPECT_EQ(number_ranges({1, 2, 3, 5, 7, 8}), "1-3,5,7-8");
}

TEST(SlurmStates, AreReadFromBothPrograms) {
  const auto states = parse_states(
      "12_1|RUNNING|None\n12_2|PENDING|Dependency\n12_3|CANCELLED by 0|\nslurm: noise\n");
  EXPECT_EQ(states.size(), 3U);
  EXPECT_TRUE(states.at("12_1").live());
  EXPECT_EQ(states.at("12_1").reason, "");
  EXPECT_EQ(states.at("12_2").reason, "Dependency");
  EXPECT_FALSE(states.at("12_3").live());
}

TEST(JobBook, FindsItsJobsAgainAndNoOthers) {
  const testing::TempFolder folder;
  const nlohmann::json mine{{"experiment", "a.toml"}};
  {
    JobBook book(folder.path(), mine);
    book.add({"12", "students", {{1, "RTE kd seed 1"}, {2, "RTE kd seed 2"}}});
    book.add({"15", "students", {{2, "RTE kd seed 2"}}});
  }
  const JobBook book(folder.path(), mine);
  EXPECT_EQ(book.task_of("students", "RTE kd seed 1"), "12_1");
  EXPECT_EQ(book.task_of("students", "RTE kd seed 2"), "15_2");
  EXPECT_EQ(book.task_of("teachers", "RTE kd seed 1"), "");
  EXPECT_THAT(book.ids(), ElementsAre("12", "15"));
  EXPECT_THAT(testing::user_error_of([&] {
                JobBook(folder.path(), {{"experiment", "b.toml"}});
              }),
              HasSubstr("is of another experiment"));
  folder.write("jobs.json", "{");
  EXPECT_THAT(testing::user_error_of([&] { JobBook(folder.path(), mine); }),
              HasSubstr("is damaged"));
}

}  // namespace
}  // namespace kdbench::job_plan_test
