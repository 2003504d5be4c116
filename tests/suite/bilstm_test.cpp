// SPDX-License-Identifier: MIT
// BiLSTM students through the whole pipeline: words of the data with vectors from a file and
// without, and pieces beside a teacher that learns too.
#include <gtest/gtest.h>

#include "io/stores/feature_store.h"
#include "io/weights/weight_files.h"
#include "reports/comparison.h"
#include "suite/walks/make.h"
#include "tests/io/rank_folder.h"
#include "tests/support/glue_files.h"

namespace kdbench::bilstm_pipeline_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kExperiment = R"(name = "bilstm"
[data]
root = "data"
tasks = ["MNLI"]
max_seq_length = 24
[teacher]
architecture = "bert"
layers = 2
hidden = 16
heads = 2
max_positions = 24
tokenizer = "wordpiece"
[teacher.train]
optimizer = "adamw"
learning_rate = 1e-3
[student]
architecture = "bilstm"
embedding = 3
hidden = 8
fc = 6
vectors = "vectors.txt"
[train]
batch_size = 8
epochs = 2
learning_rate = 1.0
optimizer = "adadelta"
weight_decay = 0.0
dropout = 0.3
[[method]]
name = "d-lite"
ce_weight = 0.5
[[method]]
name = "finetune"
[method.student]
architecture = "bilstm"
embedding = 3
hidden = 8
[[method]]
name = "prokt"
sep_pair = true
[method.student]
architecture = "bilstm"
embedding = 4
hidden = 5
pooling = "max"
tokenizer = "wordpiece"
)";

void write_inputs(const fs::path& root) {
  const Task& task = find_task("MNLI");
  testing::write_glue(root / "data", task, "train", 45);
  testing::write_glue(root / "data", task, "dev_matched", 20);
  testing::write_glue(root / "data", task, "test_matched", 5);
  fs::create_directories(root / "wordpiece");
  testing::write_bytes(root / "wordpiece" / "vocab.txt",
                       "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndogs\nsun\nrainy\nthe\ngreen\n");
  testing::write_bytes(root / "vectors.txt", "nowhere 1 2 3\nthe 0.5 -0.25 4\n");
  testing::write_bytes(root / "experiment.toml", kExperiment);
}

class BiLstmPipeline : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_.make("", [](const fs::path& root) { write_inputs(root); });
  }

  ExperimentRuns run(const Control& control, const std::string& out,
                     const std::vector<std::string>& overrides = {}) {
    const auto collectives = make_collectives(control, at::kCPU);
    const Workspace workspace{control, *collectives, at::kCPU, 1, folder_.path / out, "test"};
    return make_experiment(load_experiment(folder_.path / "experiment.toml", overrides), workspace);
  }

  std::string refusal(const std::vector<std::string>& overrides) {
    return testing::error_of([&] { run(Control(MPI_COMM_SELF), "refused", overrides); });
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

TEST_F(BiLstmPipeline, OnAnyNumberOfRanks) {
  const Control all(MPI_COMM_WORLD), alone(MPI_COMM_SELF);
  const auto runs = read_runs(run(all, "all").runs);
  const auto lonely = read_runs(run(alone, "rank" + std::to_string(folder_.rank)).runs);
  ASSERT_EQ(runs.size(), 4U);
  for (const std::string label : {"teacher", "d-lite", "finetune", "prokt"}) {
    const json one = run_named(lonely, label), many = run_named(runs, label);
    EXPECT_EQ(many.at("status"), "done") << label;
    EXPECT_EQ(many.at("metrics"), one.at("metrics")) << label;
  }
  EXPECT_EQ(run(all, "all").done, 0);  // nothing is made again
}

TEST_F(BiLstmPipeline, FoldersOfItsModels) {
  for (const auto& folder : run(Control(MPI_COMM_WORLD), "out").runs) {
    const json record = read_runs({folder}).front();
    if (record.at("role") == "teacher") continue;
    const std::string label = record.at("label");
    const ModelConfig config = read_model_config(folder / "model");
    EXPECT_EQ(config.architecture, "bilstm");
    EXPECT_TRUE(config.pair);
    EXPECT_EQ(config.vector_mode, label == "d-lite" ? "both" : "random");
    EXPECT_EQ(config.fc, label == "d-lite" ? 6 : label == "prokt" ? 10 : 200);
    const auto tokenizer = load_tokenizer(folder / "model");
    EXPECT_EQ(tokenizer->vocabulary_size(), config.vocabulary);
    EXPECT_EQ(tokenizer->sha256(), record.at("data").at("tokenizer_sha256"));
    EXPECT_EQ(tokenizer->words() != nullptr, label != "prokt");
    if (label != "d-lite") continue;
    const auto& words = *tokenizer->words();
    const auto the = std::find(words.begin(), words.end(), "the") - words.begin();
    const TensorMap tensors = read_weight_files(folder / "model");
    EXPECT_TRUE(
        at::equal(tensors.at("embedding_static.weight")[the], at::tensor({0.5f, -0.25f, 4.0f})));
    EXPECT_FALSE(at::equal(tensors.at("embedding.weight")[the], at::tensor({0.5f, -0.25f, 4.0f})));
    // Words that no row has begin alike in both copies, and stay.
    EXPECT_TRUE(
        at::equal(tensors.at("embedding.weight")[1], tensors.at("embedding_static.weight")[1]));
    EXPECT_LE(tensors.at("embedding_static.weight")[1].abs().max().item<float>(), 0.25f);
  }
}

TEST_F(BiLstmPipeline, SaysWhatCannotWork) {
  EXPECT_HAS(refusal({"student.embedding=4"}), "its vectors have 3 numbers, the model's 4");
  const std::string file = (folder_.path / "experiment.toml").string();
  EXPECT_HAS(refusal({"student.vectors=\"" + file + "\""}), "no vector of a word");
  EXPECT_HAS(refusal({"student.vectors=\"nowhere.txt\""}), "no such file");
  EXPECT_HAS(refusal({"student.vector_mode=\"random\""}), "takes no vectors of a file");
  EXPECT_HAS(refusal({"student.tokenizer=\"" + (folder_.path / "wordpiece").string() + "\""}),
             "holds pieces of them");
  EXPECT_HAS(refusal({"train.precision=\"bf16\""}), "bilstm computes in fp32 alone");
  EXPECT_HAS(refusal({"student.heads=2"}), "student.heads: unknown key");
  EXPECT_HAS(refusal({"method.d-lite.name=\"pkd\"", "method.d-lite.ce_weight=0.0"}), "unknown key");
  EXPECT_HAS(refusal({"method.finetune.name=\"pkd\""}),
             "compares states of layers, which a bilstm student does not have");
}

}  // namespace
}  // namespace kdbench::bilstm_pipeline_test
