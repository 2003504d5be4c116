// SPDX-License-Identifier: MIT
// A resolved experiment written as a file again: loaded, it resolves to the same.
#include "suite/config/experiment_toml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "suite/config/toml_reader.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/grid_experiment.h"

namespace kdbench::experiment_toml_test {
namespace {

using nlohmann::json;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kExperiment;
using ::testing::Not;

// The file that was written again.
std::string expect_same_again(const std::string& text,
                              const std::vector<std::string>& overrides = {}) {
  const ExperimentFolder folder;
  const json before = folder.load(text, overrides).to_json();
  // As it lies on the disk.
  const std::string again = experiment_toml(json::parse(before.dump(2)));
  try {
    const json after = folder.load(again).to_json();
    EXPECT_EQ(json_hash(after), json_hash(before)) << json::diff(before, after) << "\n" << again;
  } catch (const Error& error) {
    ADD_FAILURE() << error.what() << "\n" << again;
  }
  return again;
}

TEST(ExperimentToml, OneMethod) {
  const std::string again = expect_same_again(kExperiment);
  EXPECT_THAT(again, HasSubstr("name = \"tiny\"\n"));
  EXPECT_THAT(again, HasSubstr("[[method]]\nname = \"kd\"\nlabel = \"kd\"\nalpha = "));
  EXPECT_THAT(again, HasSubstr("\n[train]\n"));
  EXPECT_THAT(again, HasSubstr("epochs = 2\n"));
  EXPECT_THAT(again, Not(HasSubstr("method.train")));  // all of it stands in [train]
  EXPECT_THAT(again, Not(HasSubstr("[teacher.train]")));
}

TEST(ExperimentToml, WhatSetHasChanged) {
  expect_same_again(kExperiment, {"train.learning_rate=3.3333e-7", "train.seeds=[3,4]",
                                  "method.kd.alpha=1", "train.dropout=0.2", "name=a+b=c",
                                  "data.train_limit=3", "train.weight_decay=1"});
}

TEST(ExperimentToml, EveryLayerOfTrainingKeys) {
  const std::string again =
      expect_same_again(kExperiment + R"([method.task.MRPC]
alpha = 0.25
[method.task.MRPC.train]
epochs = 7
[[method]]
name = "finetune"
[method.train]
learning_rate = 1e-3
dropout = 0.3
[method.student]
weights = "teacher"
init = "first-layers"
init_from = "teacher"
layers = 3
[[method]]
name = "pkd"
teacher_outputs = "online"
layers = [1]
[task.RTE.train]
clip = 0.5
epochs = 9
[task.RTE.data]
max_seq_length = 20
[task.MNLI.train]
checkpoint = "best"
[teacher.train]
learning_rate = 1e-4
dropout = 0.1
)",
                        {"data.tasks=[\"MRPC\", \"RTE\", \"MNLI\"]", "teacher.per_seed=true"});
  EXPECT_THAT(again, HasSubstr("[task.RTE.data]\nmax_seq_length = 20\n"));
  EXPECT_THAT(again, HasSubstr("[method.task.MRPC]\nalpha = 0.25\n"));
  EXPECT_THAT(again, HasSubstr("[method.task.MRPC.train]\nepochs = 7\n"));
}

TEST(ExperimentToml, ATeacherWithoutKeysOfItsOwnIsTrainedToo) {
  EXPECT_THAT(expect_same_again(kExperiment + "[teacher.train]\n"),
              HasSubstr("[teacher.train]\n\n"));
}

TEST(ExperimentToml, PointsOfAGridAreOneMethod) {
  const std::string again = expect_same_again(kExperiment + R"(
[method.grid]
temperature = [10.0, 5, 7.5]
alpha = [0.2, 0.5]
[method.grid.train]
epochs = [4, 2]
learning_rate = [5e-5, 1e-4]
[method.task.RTE.train]
clip = 2.0
[[method]]
name = "finetune"
)",
                                              {"method.kd.alpha=0.5"});
  EXPECT_THAT(again, HasSubstr("[method.grid]\nalpha = [0.5]\ntemperature = [10.0,5.0,7.5]\n"));
  EXPECT_THAT(again, HasSubstr("[method.grid.train]\nepochs = [4,2]\n"));
}

TEST(ExperimentToml, ALargeGridOnEmbeddedCorpora) { expect_same_again(testing::kGridExperiment); }

TEST(ExperimentToml, ModelsBySizeOrPresetAndAnAssistant) {
  expect_same_again(kExperiment + R"([method.student]
preset = "bert-tiny"
tokenizer = "student"
[[method]]
name = "takd"
[assistant]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
tokenizer = "student"
per_seed = true
[assistant.train]
epochs = 5
)");
}

TEST(ExperimentToml, TasksOfTheUsersOwn) {
  const ExperimentFolder folder;
  for (const std::string name : {"tickets", "my-scores.v2"}) {
    for (const char* split : {"train", "dev"})
      folder.write("data/" + name + "/" + split + ".tsv", "a\tb\tc\nx\ty\t1\n");
  }
  const json before = folder
                          .load(kExperiment + R"([task.tickets]
text_a = "a"
label = "c"
labels = ["1", "bugs", "oth\"er"]
metrics = ["f1", "accuracy"]
[task.tickets.data]
train_limit = 3
[task."my-scores.v2"]
text_a = "a"
text_b = "b"
label = "c"
[task."my-scores.v2".train]
epochs = 7
[method.task."my-scores.v2"]
alpha = 0.25
)",
                                {"data.tasks=[\"tickets\", \"my-scores.v2\"]"})
                          .to_json();
  const std::string again = experiment_toml(before);
  EXPECT_EQ(json_hash(folder.load(again).to_json()), json_hash(before)) << again;
}

TEST(ExperimentToml, TextsWithOddCharacters) {
  const ExperimentFolder folder;
  json before = folder.load(kExperiment).to_json();
  const std::string odd = "/a \"b\"\\c\x7f\té#'=[x]";
  before["data"]["root"] = odd;
  const auto read = toml::parse(experiment_toml(before));
  EXPECT_EQ(read["data"]["root"].value<std::string>(), odd);
}

}  // namespace
}  // namespace kdbench::experiment_toml_test
