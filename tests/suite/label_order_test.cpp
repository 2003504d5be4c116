// SPDX-License-Identifier: MIT
// Models name their labels and keep their own order: the same model with its labels in another
// order (as RoBERTa's MNLI checkpoints have) or in capitals is the same teacher and the same
// student.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "methods/models/checkpoint.h"
#include "reports/comparison.h"
#include "suite/walks/make.h"
#include "tests/support/glue_files.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny.h"

namespace kdbench::label_order_test {
namespace {

namespace fs = std::filesystem;
using Labels = std::vector<std::string>;
using nlohmann::json;

// The task's order is contradiction, entailment, neutral.
const Labels kOwn{"contradiction", "entailment", "neutral"};
const Labels kTurned{"neutral", "contradiction", "entailment"};
const Labels kCapitals{"NEUTRAL", "CONTRADICTION", "Entailment"};

class LabelOrder : public ::testing::Test {
 protected:
  LabelOrder() {
    const Task& task = find_task("MNLI");
    testing::write_glue(folder_ / "data", task, "train", 48);
    testing::write_glue(folder_ / "data", task, "dev_matched", 30);
    for (const auto& [name, labels] :
         {std::pair("own", kOwn), std::pair("turned", kTurned), std::pair("capitals", kCapitals)}) {
      write_model(std::string("teacher-") + name, 1, labels);
      write_model(std::string("student-") + name, 2, labels);
    }
  }

  // The model of `seed` and the order kOwn with the rows of its classifier in another order.
  void write_model(const std::string& name, uint64_t seed, const Labels& labels) const {
    const auto model = testing::tiny_bert(seed, 2, 0.0);
    ModelSpec spec;
    spec.config = model->config();
    spec.config.vocabulary = 11;
    spec.config.labels = labels;
    spec.outputs = 3;
    const auto sized = make_model(spec);
    initialize_parameters(*sized, seed);
    if (labels != kOwn) turn(*sized);
    fs::create_directories(folder_ / name);
    save_checkpoint(*sized, folder_ / name);
    folder_.write(name + "/vocab.txt",
                  "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\ndogs\nsun\nrainy\nthe\ngreen\n");
  }
  static void turn(Model& model) {
    const at::NoGradGuard no_gradients;
    const at::Tensor rows = at::tensor({2, 0, 1}, at::kLong);  // kTurned in kOwn
    for (const char* kind : {".weight", ".bias"}) {
      const at::Tensor& values = model.parameters()[model.classifier() + kind];
      values.copy_(values.index_select(0, rows));
    }
  }

  // One epoch of kd, without dropout; the records of the student and its teacher.
  std::vector<json> run(const std::string& teacher, const std::string& student,
                        const std::string& more = "") {
    const fs::path file =
        folder_.write("experiment.toml", fmt::format(R"(name = "order"
[data]
root = "data"
tasks = ["MNLI"]
max_seq_length = 16
[teacher]
weights = "teacher-{}"
[student]
weights = "student-{}"
{}
[train]
batch_size = 8
epochs = 2
learning_rate = 1e-2
[[method]]
{}
)",
                                                     teacher, student, more, method_));
    const Control control(MPI_COMM_SELF);
    const auto collectives = make_collectives(control, at::kCPU);
    const Workspace workspace{control, *collectives, at::kCPU, 1, folder_ / "out", "test"};
    const ExperimentRuns result = make_experiment(load_experiment(file, {}), workspace);
    folders_ = result.runs;
    return read_runs(result.runs);
  }

  // Losses of all steps, from events.jsonl.
  static std::vector<double> losses(const fs::path& folder) {
    std::vector<double> values;
    std::istringstream lines(testing::read_text(folder / "events.jsonl"));
    for (std::string line; std::getline(lines, line);) {
      const json event = json::parse(line);
      if (event["type"] == "step") values.push_back(event["loss"]);
    }
    return values;
  }

  // The columns of a file of logits after the first line, in the order kOwn.
  static std::vector<std::vector<double>> logits(const fs::path& folder, const Labels& labels) {
    std::vector<std::vector<double>> rows;
    std::istringstream lines(
        testing::read_text(folder / "predictions" / "MNLI-dev_matched-logits.tsv"));
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream cells(line);
      int64_t index = 0;
      cells >> index;
      std::vector<double> found(3), row(3);
      for (double& value : found) cells >> value;
      for (size_t i = 0; i < 3; ++i) {
        row[static_cast<size_t>(std::find(kOwn.begin(), kOwn.end(), labels[i]) - kOwn.begin())] =
            found[i];
      }
      rows.push_back(row);
    }
    return rows;
  }

  static Labels saved_labels(const fs::path& folder) {
    return read_model_config(folder / "model").labels;
  }

  void expect_same_run(const std::vector<json>& expected, const fs::path& folder,
                       const std::vector<json>& found, const Labels& labels) {
    ASSERT_EQ(found.size(), 2U);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(found[i]["metrics"]["last"], expected[i]["metrics"]["last"]) << i;
    }
    const auto before = losses(folder), after = losses(folders_[0]);
    ASSERT_EQ(before.size(), 12U);
    ASSERT_EQ(after.size(), 12U);
    for (size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(after[i], before[i], 1e-4) << i;
    const fs::path predictions = "predictions/MNLI-dev_matched.tsv";
    EXPECT_EQ(testing::read_text(folders_[0] / predictions),
              testing::read_text(folder / predictions));
    const auto first = logits(folder, kOwn), second = logits(folders_[0], labels);
    ASSERT_EQ(first.size(), 30U);
    for (size_t row = 0; row < first.size(); ++row) {
      for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(second[row][i], first[row][i], 1e-3);
    }
    EXPECT_EQ(saved_labels(folders_[0]), labels);
  }

  testing::TempFolder folder_;
  std::vector<fs::path> folders_;
  std::string method_ = "name = \"kd\"";
};

TEST_F(LabelOrder, OfTheTeacher) {
  const auto expected = run("own", "own");
  const fs::path folder = folders_[0];
  EXPECT_EQ(saved_labels(folder), kOwn);
  for (const char* teacher : {"turned", "capitals"}) {
    const auto found = run(teacher, "own");
    ASSERT_NE(folders_[0], folder) << "another checkpoint is another run";
    expect_same_run(expected, folder, found, kOwn);
  }
}

TEST_F(LabelOrder, OfATeacherThatLearnsBesideTheStudent) {
  method_ = "name = \"prokt\"\nzero_classifier = false";
  const auto expected = run("own", "own");
  const fs::path folder = folders_[0], predictions = "predictions/MNLI-dev_matched-teacher.tsv";
  for (const char* teacher : {"turned", "capitals"}) {
    const auto found = run(teacher, "own");
    ASSERT_NE(folders_[0], folder);
    EXPECT_EQ(found[0]["metrics"], expected[0]["metrics"]) << teacher;
    EXPECT_EQ(testing::read_text(folders_[0] / predictions),
              testing::read_text(folder / predictions));
  }
}

TEST_F(LabelOrder, OfTheStudent) {
  const auto expected = run("own", "own");
  const fs::path folder = folders_[0];
  for (const char* student : {"turned", "capitals"}) {
    const auto found = run("turned", student);
    expect_same_run(expected, folder, found, kTurned);
  }
}

// The classifier that a student takes from its teacher is in the teacher's order.
TEST_F(LabelOrder, OfAStudentThatBeginsAsItsTeacher) {
  const std::string keys = "init = \"weights\"\ninit_from = \"teacher\"";
  const auto expected = run("own", "own", keys);
  const fs::path folder = folders_[0];
  expect_same_run(expected, folder, run("turned", "own", keys), kOwn);
  expect_same_run(expected, folder, run("own", "turned", keys), kTurned);
}

}  // namespace
}  // namespace kdbench::label_order_test
