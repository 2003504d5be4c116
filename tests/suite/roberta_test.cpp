// SPDX-License-Identifier: MIT
// RoBERTa with a byte-level vocabulary through the whole pipeline: a teacher, students of its kind,
// and a BERT student that reads the same rows as other tokens.
#include <gtest/gtest.h>

#include <cmath>

#include "io/stores/feature_store.h"
#include "reports/comparison.h"
#include "suite/walks/make.h"
#include "tests/io/rank_folder.h"
#include "tests/support/glue_files.h"
#include "tests/support/tiny_bpe.h"

namespace kdbench::roberta_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kExperiment = R"(name = "roberta"
[data]
root = "data"
tasks = ["MNLI"]
max_seq_length = 24
[teacher]
architecture = "roberta"
layers = 4
hidden = 16
heads = 2
max_positions = 26
tokenizer = "bpe"
[teacher.train]
[student]
architecture = "roberta"
layers = 2
hidden = 16
heads = 2
max_positions = 26
tokenizer = "bpe"
init = "first-layers"
init_from = "teacher"
[train]
batch_size = 8
epochs = 2
learning_rate = 1e-3
[[method]]
name = "finetune"
[[method]]
name = "kd"
[[method]]
name = "pkd"
[[method]]
name = "kd"
label = "kd-bert"
[method.student]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
max_positions = 24
tokenizer = "wordpiece"
)";

void write_inputs(const fs::path& root) {
  const Task& task = find_task("MNLI");
  testing::write_glue(root / "data", task, "train", 45);
  testing::write_glue(root / "data", task, "dev_matched", 20);
  testing::write_glue(root / "data", task, "test_matched", 5);
  testing::write_bpe(root / "bpe",
                     testing::tiny_bpe({{"t", "h"}, {"th", "e"}, {"\u0120", "the"}, {"c", "a"}}));
  fs::create_directories(root / "wordpiece");
  testing::write_bytes(root / "wordpiece" / "vocab.txt",
                       "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndogs\nsun\nrainy\nthe\ngreen\n");
  testing::write_bytes(root / "experiment.toml", kExperiment);
}

class RobertaPipeline : public ::testing::Test {
 protected:
  std::vector<fs::path> run(const Control& control, const std::string& out) {
    const auto collectives = make_collectives(control, at::kCPU);
    const Workspace workspace{control, *collectives, at::kCPU, 1, folder_.path / out, "test"};
    const ExperimentRuns result =
        make_experiment(load_experiment(folder_.path / "experiment.toml", {}), workspace);
    EXPECT_EQ(result.done, 4);
    EXPECT_EQ(result.failed, 0);
    return result.runs;
  }

  testing::RankFolder folder_;
};

json run_named(const std::vector<json>& runs, const std::string& label) {
  for (const auto& run : runs) {
    if (run.at("label") == label) return run;
  }
  ADD_FAILURE() << "no run " << label;
  return {};
}

TEST_F(RobertaPipeline, OnAnyNumberOfRanks) {
  folder_.make("", [](const fs::path& root) { write_inputs(root); });
  const Control all(MPI_COMM_WORLD), alone(MPI_COMM_SELF);
  const auto together = run(all, "all");
  const auto runs = read_runs(together);
  const auto lonely = read_runs(run(alone, "rank" + std::to_string(folder_.rank)));
  ASSERT_EQ(runs.size(), 5U);
  for (const std::string label : {"teacher", "finetune", "kd", "pkd", "kd-bert"}) {
    const json one = run_named(lonely, label), many = run_named(runs, label);
    EXPECT_EQ(many.at("status"), "done") << label;
    EXPECT_EQ(many.at("metrics").at("last"), one.at("metrics").at("last")) << label;
  }
  // Two tokenizers, two feature stores; the teacher's outputs are matched by row.
  const json &kd = run_named(runs, "kd"), &bert = run_named(runs, "kd-bert");
  EXPECT_NE(kd.at("data").at("tokenizer_sha256"), bert.at("data").at("tokenizer_sha256"));
  EXPECT_EQ(kd.at("teacher"), bert.at("teacher"));
}

TEST_F(RobertaPipeline, FoldersOfItsModels) {
  folder_.make("", [](const fs::path& root) { write_inputs(root); });
  const Control all(MPI_COMM_WORLD);
  for (const auto& run : run(all, "out")) {
    const json record = read_runs({run}).front();
    if (record.at("role") == "teacher") continue;
    const bool roberta = record.at("label") != "kd-bert";
    const ModelConfig config = read_model_config(run / "model");
    EXPECT_EQ(config.architecture, roberta ? "roberta" : "bert");
    EXPECT_EQ(config.longest_row(), 24);
    EXPECT_EQ(fs::exists(run / "model" / "merges.txt"), roberta);
    const auto tokenizer = load_tokenizer(run / "model");
    EXPECT_EQ(tokenizer->vocabulary_size(), config.vocabulary);
    EXPECT_EQ(tokenizer->sha256(), record.at("data").at("tokenizer_sha256"));
  }
  int64_t stores = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path / "out")) {
    if (entry.path().filename() != "features.h5") continue;
    const FeatureStore store = read_feature_store(entry.path());
    const bool roberta = store.info.second_segment_type == 0;
    EXPECT_EQ(store.splits.at("train")->tokens.front(), roberta ? 0 : 2);  // <s>, [CLS]
    ++stores;
  }
  EXPECT_EQ(stores, 2);
}

}  // namespace
}  // namespace kdbench::roberta_test
