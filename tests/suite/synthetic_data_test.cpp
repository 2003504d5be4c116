// SPDX-License-Identifier: MIT
// data.root = "synthetic": corpora and vocabulary are generated once and then used like a GLUE
// folder, on any number of ranks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/synthetic/synthetic.h"
#include "reports/comparison.h"
#include "suite/stages/rows/corpora_stage.h"
#include "suite/walks/make.h"
#include "tests/io/rank_folder.h"

namespace kdbench::synthetic_data_test {
namespace {

namespace fs = std::filesystem;
using testing::RankFolder;

constexpr const char* kExperiment = R"(name = "synthetic"
[data]
root = "synthetic"
tasks = ["SST-2", "MNLI"]
max_seq_length = 24
train_limit = 48
[teacher]
architecture = "bert"
layers = 2
hidden = 8
heads = 2
max_positions = 24
[teacher.train]
[student]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
max_positions = 24
[train]
batch_size = 16
epochs = 1
[[method]]
name = "kd"
)";

class SyntheticData : public ::testing::Test {
 protected:
  ExperimentRuns run() {
    const fs::path file = folder_.make(
        "experiment.toml", [](const fs::path& path) { testing::write_bytes(path, kExperiment); });
    return make_experiment(load_experiment(file, {}), workspace_);
  }

  RankFolder folder_;
  Control control_{MPI_COMM_WORLD};
  std::unique_ptr<Collectives> collectives_ = make_collectives(control_, at::kCPU);
  Workspace workspace_{control_, *collectives_, at::kCPU, 1, folder_.path / "out", "test"};
};

TEST_F(SyntheticData, RunsLikeAGlueFolder) {
  const ExperimentRuns first = run();
  EXPECT_EQ(first.done, 2);
  EXPECT_EQ(first.failed, 0);
  const auto runs = read_runs(first.runs);
  ASSERT_EQ(runs.size(), 4U);  // two students, two teachers
  for (const auto& json : runs) {
    EXPECT_EQ(json.at("status"), "done");
    EXPECT_EQ(json.at("data").at("synthetic"), true);
    EXPECT_EQ(json.at("data").at("splits").at("train").at("rows"), 48);
    EXPECT_EQ(json.at("config").at("data").at("root"), "synthetic");
    EXPECT_EQ(json.at("config").at("student").at("sizes").at("vocabulary"),
              synthetic_vocabulary().size());
    EXPECT_EQ(json.at("metrics").at("last").contains("dev_mismatched"), json.at("task") == "MNLI");
  }
  EXPECT_TRUE(fs::exists(first.runs.front() / "model" / "vocab.txt"));
  EXPECT_EQ(run().reused, 2);
}

TEST_F(SyntheticData, IsWrittenOnce) {
  Graph graph;
  CorporaStage& corpora = corpora_stage(graph, {});
  EXPECT_EQ(corpora.make(workspace_).kind, Outcome::Kind::kMade);
  const fs::path stage = corpora.root(workspace_);
  EXPECT_TRUE(fs::exists(stage / "MNLI" / "dev_mismatched.tsv"));
  const auto written = fs::last_write_time(stage / "vocab.txt");
  EXPECT_EQ(corpora.make(workspace_).kind, Outcome::Kind::kReused);
  EXPECT_EQ(corpora.root(workspace_), stage);
  EXPECT_EQ(fs::last_write_time(stage / "vocab.txt"), written);
}

}  // namespace
}  // namespace kdbench::synthetic_data_test
