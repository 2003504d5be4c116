// SPDX-License-Identifier: MIT
// What the plan of a shipped experiment lists, its run makes, under the same names and with the
// sizes that the plan says; afterwards all of it is done.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/walks/make.h"
#include "suite/walks/plan.h"
#include "suite/walks/status.h"
#include "tests/support/source_folders.h"
#include "tests/support/temp_folder.h"

namespace kdbench::testing {

inline constexpr int64_t kSmall = 1000000;  // bytes below which HDF5's own structures count

inline int64_t size_of(const std::filesystem::path& folder) {
  int64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

class ShippedPlan : public ::testing::Test {
 protected:
  Experiment load(const std::string& name, const std::vector<std::string>& overrides) const {
    return load_experiment(std::filesystem::path(kExperimentsFolder) / name, overrides);
  }
  Workspace workspace() const {
    return {control,
            *collectives,
            at::kCPU,
            1,
            folder / "out",
            "shipped plan test",
            std::make_shared<Log>(true, "")};
  }

  std::set<std::string> made(const std::filesystem::path& where) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(where)) {
      const std::string name = entry.path().filename();
      const bool is_result = std::filesystem::exists(entry.path() / "run.json") ||
                             std::filesystem::exists(entry.path() / "stage.json");
      if (is_result) names.insert(name);
    }
    return names;
  }

  void expect_planned(const Experiment& experiment) {
    // What a language model will write, and so the words of BiLSTMs, no plan knows before: that of
    // all again does.
    const bool written = experiment.transfer && experiment.transfer->model;
    Plan plan;
    if (!written) plan = make_plan(experiment, {.ranks = 1}, workspace());
    const ExperimentRuns runs = make_experiment(experiment, workspace());
    if (written) {
      plan = make_plan(experiment, {.ranks = 1}, workspace(), {}, ExperimentPart::kAll,
                       Existing::kReplace);
    }
    EXPECT_EQ(runs.failed, 0);
    std::set<std::string> shared, students;
    for (const auto& stage : plan.stages) {
      SCOPED_TRACE(stage.kind + " " + stage.what);
      EXPECT_FALSE(stage.reused);
      ASSERT_NE(stage.name, "");
      const bool is_run = stage.kind == "run";
      EXPECT_TRUE((is_run ? students : shared).insert(stage.name).second) << "listed twice";
      const std::filesystem::path place =
          folder / "out" / (is_run ? experiment.name : ".stages") / stage.name;
      ASSERT_TRUE(std::filesystem::exists(place)) << place;
      const auto bytes = static_cast<double>(size_of(place));
      if (bytes < kSmall) continue;
      EXPECT_NEAR(static_cast<double>(stage.bytes) / bytes, 1.0, 0.1) << bytes;
    }
    EXPECT_EQ(made(folder / "out/.stages"), shared);
    // The experiment's folder has the records of teachers and assistants too.
    for (const auto& name : made(runs.folder)) {
      const bool of_a_source = name.find("-teacher-s") != std::string::npos ||
                               name.find("-assistant-s") != std::string::npos ||
                               name.find("-language-model-s") != std::string::npos;
      EXPECT_TRUE(of_a_source || students.contains(name)) << name;
    }
    for (const auto& stage : status_of(experiment, workspace())) {
      EXPECT_EQ(stage.state, "done") << stage.kind << " " << stage.what;
    }
  }

  TempFolder folder;
  const Control control{MPI_COMM_SELF};
  std::unique_ptr<Collectives> collectives = make_single_collectives();
};

}  // namespace kdbench::testing
