// SPDX-License-Identifier: MIT
#include "suite/config/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "tests/suite/config/experiment_folder.h"

namespace kdbench::selection_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Seeds = std::vector<int64_t>;

// Labels finetune, kd[temperature=2], kd[temperature=3]; RTE with seeds 1 2 3, MRPC with 4 5.
const std::string kText = R"(name = "tiny"
[data]
root = "data"
tasks = ["RTE", "MRPC"]
max_seq_length = 32
[teacher]
weights = "teacher"
[teacher.train]
[student]
weights = "student"
[train]
seeds = [1, 2, 3]
[task.MRPC.train]
seeds = [4, 5]
[[method]]
name = "finetune"
[[method]]
name = "kd"
[method.grid]
temperature = [2.0, 3.0]
)";

class SelectionTest : public ::testing::Test {
 protected:
  std::vector<std::string> labels(const Selection& selection) const {
    std::vector<std::string> found;
    for (const auto* method : selected_methods(selection, experiment)) {
      found.push_back(method->label);
    }
    return found;
  }
  std::string refusal(const Selection& selection,
                      ExperimentPart part = ExperimentPart::kAll) const {
    try {
      check_selection(selection, experiment, part);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUserInput);
      return error.what();
    }
    return "";
  }

  testing::ExperimentFolder folder;
  Experiment experiment = folder.load(kText);
};

TEST_F(SelectionTest, EmptyMeansAll) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(selected_tasks({}, experiment), ElementsAre("RTE", "MRPC"));
  EXPECT_EQ(labels({}).size(), 3U);
  EXPECT_EQ(selected_seeds({}, experiment, "RTE", experiment.methods[0]), (Seeds{1, 2, 3}));
}

TEST_F(SelectionTest, ALabelStandsForItsGrid) {
  EXPECT_EQ(labels({{}, {"kd"}, {}}).size(), 2U);
  EXPECT_THAT(labels({{}, {experiment.methods[2].label}, {}}),
              ElementsAre(experiment.methods[2].label));
  EXPECT_THAT(labels({{}, {"finetune"}, {}}), ElementsAre("finetune"));
}

TEST_F(SelectionTest, SeedsAreThoseOfTheTask) {
  const Selection selection{{}, {}, {5, 2}};
  EXPECT_EQ(selected_seeds(selection, experiment, "RTE", experiment.methods[0]), Seeds{2});
  EXPECT_EQ(selected_seeds(selection, experiment, "MRPC", experiment.methods[0]), Seeds{5});
}

TEST_F(SelectionTest, OneTeacherOrOneForEachSeed) {
  EXPECT_EQ(teacher_seeds({}, experiment, "RTE"), Seeds{1});
  EXPECT_EQ(teacher_seed(experiment, "MRPC", 5), 4);
  experiment.teacher->per_seed = true;
  EXPECT_EQ(teacher_seeds({}, experiment, "RTE"), (Seeds{1, 2, 3}));
  EXPECT_EQ(teacher_seeds({{}, {}, {3}}, experiment, "RTE"), Seeds{3});
  EXPECT_EQ(teacher_seed(experiment, "MRPC", 5), 5);
}

TEST_F(SelectionTest, WhatTheExperimentDoesNotHaveIsListed) {
  const std::string names = refusal({{"MRCP"}, {"kd", "pkd"}, {}});
  EXPECT_THAT(names,
              HasSubstr("--tasks MRCP: the experiment has no such task (did you mean 'MRPC'?"));
  EXPECT_THAT(names, HasSubstr("--method pkd: the experiment has no such method"));
  EXPECT_THAT(refusal({{"RTE"}, {}, {1, 4}}),
              HasSubstr("--seeds 4: the experiment has no such seed (it has 1, 2, 3;"));
  EXPECT_THAT(refusal({{"RTE"}, {}, {2}}, ExperimentPart::kTeachers),
              HasSubstr("--seeds 2: the experiment has no teacher of that seed (it has 1;"));
}

TEST_F(SelectionTest, FilesOfOtherTasksMayBeMissing) {
  const auto file = folder.write("experiment.toml", kText);
  std::filesystem::remove_all(folder.path() / "data" / "MRPC");
  const auto load = [&](const std::vector<std::string>& wanted) {
    return load_experiment(file, {}, ExperimentPart::kAll, wanted);
  };
  EXPECT_EQ(load({"RTE"}).data.tasks, (std::vector<std::string>{"RTE", "MRPC"}));
  for (const std::vector<std::string>& wanted :
       {std::vector<std::string>{}, {"MRPC"}, {"RTE", "MRPC"}}) {
    EXPECT_THROW(load(wanted), Error);
  }
}

TEST_F(SelectionTest, TeachersAloneNeedNoStudentAndNoMethod) {
  const std::string text = kText.substr(0, kText.find("[student]"));
  EXPECT_EQ(load_experiment(folder.write("teachers.toml", text), {}, ExperimentPart::kTeachers)
                .methods.size(),
            0U);
  EXPECT_THROW(folder.load(text), Error);
  const std::string without = kText.substr(0, kText.find("[teacher]"));
  try {
    load_experiment(folder.write("none.toml", without), {}, ExperimentPart::kTeachers);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("teacher: is missing"));
  }
}

}  // namespace
}  // namespace kdbench::selection_test
