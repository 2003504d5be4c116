// SPDX-License-Identifier: MIT
// Named sizes in an experiment, and models of an architecture whose sizes stand there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "methods/models/registry.h"
#include "suite/models/initial_model.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/tiny_bpe.h"
#include "tests/support/user_error.h"

namespace kdbench::presets_test {
namespace {

using ::testing::AllOf;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kExperiment;

// kExperiment with another student.
Experiment with_student(const ExperimentFolder& folder, const std::string& keys) {
  return folder.load(kExperiment + "[method.student]\n" + keys);
}

std::string error_of(const ExperimentFolder& folder, const std::string& keys) {
  return testing::user_error_of([&] { with_student(folder, keys); });
}

ModelConfig config_of(const ExperimentFolder& folder, const std::string& keys) {
  const Experiment experiment = with_student(folder, keys);
  return resolve_config(*experiment.methods.at(0).student, find_task("RTE"), std::nullopt);
}

TEST(Presets, AreTheSizesOfTheirConfigs) {
  const ExperimentFolder folder;
  const ModelConfig mini = config_of(folder, "preset = \"bert-mini\"\ntokenizer = \"student\"\n");
  EXPECT_EQ(mini.architecture, "bert");
  EXPECT_EQ(mini.layers, 4);
  EXPECT_EQ(mini.hidden, 256);
  EXPECT_EQ(mini.heads, 4);
  EXPECT_EQ(mini.intermediate, 1024);
  EXPECT_EQ(mini.longest_row(), 512);
  EXPECT_EQ(mini.vocabulary, 8);  // of the tokenizer
  EXPECT_EQ(mini.labels, find_task("RTE").labels);
  EXPECT_EQ(find_preset("bert-large").preset.sizes,
            (Sizes{{"layers", 24}, {"hidden", 1024}, {"heads", 16}}));
}

TEST(Presets, Roberta) {
  const ExperimentFolder folder;
  testing::write_bpe(folder / "bpe", testing::tiny_bpe({{"a", "b"}}));
  const ModelConfig config = config_of(folder, "preset = \"distilroberta\"\ntokenizer = \"bpe\"\n");
  EXPECT_EQ(config.architecture, "roberta");
  EXPECT_EQ(config.layers, 6);
  EXPECT_EQ(config.hidden, 768);
  EXPECT_EQ(config.max_positions, 514);
  EXPECT_EQ(config.longest_row(), 512);
  EXPECT_EQ(config.token_types, 1);
  EXPECT_EQ(config.pad_token_id, 1);
  EXPECT_DOUBLE_EQ(config.layer_norm_eps, 1e-5);
  EXPECT_EQ(config.vocabulary, 262);
  const ModelConfig tiny = config_of(
      folder,
      "architecture = \"roberta\"\nlayers = 1\nhidden = 8\nheads = 2\ntokenizer = \"bpe\"\n");
  EXPECT_EQ(tiny.max_positions, 514);
  EXPECT_EQ(tiny.token_types, 1);
}

TEST(Presets, SingleSizesWin) {
  const ExperimentFolder folder;
  const std::string preset = "preset = \"bert-base\"\ntokenizer = \"student\"\n";
  const Experiment experiment = with_student(folder, preset + "layers = 2\nhidden = 96\n");
  const ModelSettings& student = *experiment.methods.at(0).student;
  EXPECT_EQ(student.architecture, "bert");
  EXPECT_EQ(student.layers, 2);
  EXPECT_EQ(student.sizes.at("hidden"), 96);
  EXPECT_EQ(student.sizes.at("heads"), 12);
  EXPECT_EQ(student.sizes.at("intermediate"), 384);
  EXPECT_EQ(student.init, "random");
  EXPECT_EQ(config_of(folder, preset + "intermediate = 64\nmax_positions = 40\n").intermediate, 64);
}

TEST(Presets, Mistakes) {
  const ExperimentFolder folder;
  EXPECT_THAT(error_of(folder, "preset = \"bert-bas\"\ntokenizer = \"student\"\n"),
              AllOf(HasSubstr(":15: method.kd.student.preset: expected one of"),
                    HasSubstr("did you mean 'bert-base'?")));
  EXPECT_THAT(error_of(folder, "preset = \"bert-mini\"\n"),
              HasSubstr("student.tokenizer: is missing"));
  EXPECT_THAT(error_of(folder, "preset = \"bert-mini\"\nweights = \"student\"\n"),
              HasSubstr(":16: method.kd.student.weights: cannot be given beside preset"));
  EXPECT_THAT(
      error_of(folder,
               "preset = \"bert-mini\"\narchitecture = \"bert\"\ntokenizer = \"student\"\n"),
      HasSubstr("architecture: cannot be given beside preset"));
  EXPECT_THAT(error_of(folder, "preset = \"bert-mini\"\nheads = 3\ntokenizer = \"student\"\n"),
              HasSubstr("heads: does not divide hidden"));
  EXPECT_THAT(
      error_of(folder, "preset = \"bert-mini\"\nmax_positions = 20\ntokenizer = \"student\"\n"),
      HasSubstr("max_seq_length 32 is more than a model's 20 positions"));
  testing::write_bpe(folder / "bpe", testing::tiny_bpe({}));
  EXPECT_THAT(
      error_of(folder, "preset = \"distilroberta\"\nmax_positions = 33\ntokenizer = \"bpe\"\n"),
      HasSubstr("max_seq_length 32 is more than a model's 31 positions"));
  EXPECT_THAT(error_of(folder,
                       "preset = \"roberta-base\"\nlayers = 2\ntokenizer = \"bpe\"\n"
                       "init = \"first-layers\"\ninit_from = \"teacher\"\n"),
              HasSubstr("init_from: the teacher is a bert model, this one roberta"));
}

}  // namespace
}  // namespace kdbench::presets_test
