// SPDX-License-Identifier: MIT
// The shipped experiments that fit any machine, cut short: what their plan lists, their run makes,
// under the same names and with the sizes that the plan says; afterwards all of it is done.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

#include "suite/config/experiment.h"
#include "suite/walks/make.h"
#include "suite/walks/plan.h"
#include "suite/walks/status.h"
#include "tests/support/shared_data.h"
#include "tests/support/source_folders.h"
#include "tests/support/temp_folder.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSmall = 1000000;  // bytes below which HDF5's own structures count

int64_t size_of(const fs::path& folder) {
  int64_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += static_cast<int64_t>(entry.file_size());
  }
  return bytes;
}

// The first rows of real files, in GLUE's layout.
void write_head(const fs::path& from, const fs::path& to, int rows) {
  std::ifstream in(from);
  fs::create_directories(to.parent_path());
  std::ofstream out(to);
  std::string line;
  for (int i = 0; i <= rows && std::getline(in, line); ++i) out << line << "\n";
}

class ShippedPlan : public ::testing::Test {
 protected:
  Experiment load(const std::string& name, const std::vector<std::string>& overrides) const {
    return load_experiment(fs::path(testing::kExperimentsFolder) / name, overrides);
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

  std::set<std::string> made(const fs::path& where) const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(where)) {
      const std::string name = entry.path().filename();
      const bool is_result =
          fs::exists(entry.path() / "run.json") || fs::exists(entry.path() / "stage.json");
      if (is_result) names.insert(name);
    }
    return names;
  }

  void expect_planned(const Experiment& experiment) {
    const Plan plan = make_plan(experiment, {.ranks = 1}, workspace());
    const ExperimentRuns runs = make_experiment(experiment, workspace());
    EXPECT_EQ(runs.failed, 0);
    std::set<std::string> shared, students;
    for (const auto& stage : plan.stages) {
      SCOPED_TRACE(stage.kind + " " + stage.what);
      EXPECT_FALSE(stage.reused);
      ASSERT_NE(stage.name, "");
      const bool is_run = stage.kind == "run";
      EXPECT_TRUE((is_run ? students : shared).insert(stage.name).second) << "listed twice";
      const fs::path place = folder / "out" / (is_run ? experiment.name : ".stages") / stage.name;
      ASSERT_TRUE(fs::exists(place)) << place;
      const auto bytes = static_cast<double>(size_of(place));
      if (bytes < kSmall) continue;
      EXPECT_NEAR(static_cast<double>(stage.bytes) / bytes, 1.0, 0.1) << bytes;
    }
    EXPECT_EQ(made(folder / "out/.stages"), shared);
    // The experiment's folder has the records of teachers and assistants too.
    for (const auto& name : made(runs.folder)) {
      const bool of_a_source = name.find("-teacher-s") != std::string::npos ||
                               name.find("-assistant-s") != std::string::npos;
      EXPECT_TRUE(of_a_source || students.contains(name)) << name;
    }
    for (const auto& stage : status_of(experiment, workspace())) {
      EXPECT_EQ(stage.state, "done") << stage.kind << " " << stage.what;
    }
  }

  // MRPC, RTE and the others with few rows, below `folder`; true when the data are there.
  void write_data(const fs::path& glue, const std::vector<std::string>& tasks) const {
    for (const auto& task : tasks) {
      for (const char* split : {"train.tsv", "dev.tsv", "test.tsv"}) {
        write_head(glue / task / split, folder / "glue" / task / split, 8);
      }
    }
  }
  std::vector<std::string> short_of_data(const fs::path& weights) const {
    return {"data.root=" + (folder / "glue").string(), "teacher.weights=" + weights.string(),
            "student.weights=" + weights.string(), "train.epochs=1", "train.seeds=[1]"};
  }

  testing::TempFolder folder;
  const Control control{MPI_COMM_SELF};
  std::unique_ptr<Collectives> collectives = make_single_collectives();
};

TEST_F(ShippedPlan, Quickstart) {
  expect_planned(load("quickstart.toml", {"data.train_limit=64", "train.epochs=1",
                                          "teacher.train.epochs=1", "train.seeds=[1,2]"}));
}

TEST_F(ShippedPlan, AllMethods) {
  expect_planned(load("all-methods.toml",
                      {"data.train_limit=128", "train.epochs=1", "data.tasks=['SST-2','STS-B']"}));
}

TEST_F(ShippedPlan, MinilmOnMrpcAndSst2) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  write_data(glue, {"SST-2"});
  auto overrides = short_of_data(weights);
  overrides.push_back("data.tasks=['SST-2']");
  expect_planned(load("minilm-mrpc-sst2.toml", overrides));
}

TEST_F(ShippedPlan, MinilmSixMethods) {
  KDBENCH_NEED_SHARED(glue, "data/glue");
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  write_data(glue, {"MRPC"});
  auto overrides = short_of_data(weights);
  overrides.push_back("data.tasks=['MRPC']");
  overrides.push_back("method.fsd-ILG.centroids=4");
  expect_planned(load("minilm-six-methods.toml", overrides));
}

}  // namespace
}  // namespace kdbench
