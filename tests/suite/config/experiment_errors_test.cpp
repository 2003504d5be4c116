// SPDX-License-Identifier: MIT
// Mistakes in an experiment file: each is named with its place, what was expected and a hint, all
// of them at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "suite/config/experiment.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::experiment_errors_test {
namespace {

using ::testing::AllOf;
using testing::ExperimentFolder;
using ::testing::HasSubstr;
using testing::kExperiment;
using ::testing::Not;

std::string message_of(const std::string& text, const std::vector<std::string>& overrides = {}) {
  const ExperimentFolder folder;
  return testing::user_error_of([&] { folder.load(text, overrides); });
}

// kExperiment with more lines at its end, below [[method]] (they begin on line 14).
std::string more(const std::string& lines) { return message_of(kExperiment + lines); }

std::string with_set(const std::string& override_text) {
  return message_of(kExperiment, {override_text});
}

TEST(ExperimentErrors, UnknownKeyHasLineAndHint) {
  EXPECT_THAT(more("alhpa = 0.5\n"),
              AllOf(HasSubstr("experiment.toml:14: method.kd.alhpa: unknown key"),
                    HasSubstr("did you mean 'alpha'?")));
  EXPECT_THAT(more("[trian]\n"), AllOf(HasSubstr(":14: trian: unknown key"), HasSubstr("'train'")));
  EXPECT_THAT(more("[method.train]\nbatchsize = 3\n"),
              AllOf(HasSubstr(":15: method.kd.train.batchsize"), HasSubstr("'batch_size'")));
}

TEST(ExperimentErrors, WeightsOfAllModels) {
  EXPECT_THAT(with_set("model.weights=teacher"),
              AllOf(HasSubstr("--set model.weights=teacher: model.weights: no model takes it"),
                    HasSubstr("teacher.weights")));
  EXPECT_THAT(more("[model]\n"), HasSubstr(":14: model.weights: is missing"));
  EXPECT_THAT(more("[model]\nweights = \"teacher\"\nlayers = 2\n"),
              HasSubstr(":16: model.layers: unknown key"));
  // A folder that is not there is said once.
  std::string text = kExperiment;
  for (const std::string own : {"weights = \"teacher\"\n", "weights = \"student\"\n"})
    text.erase(text.find(own), own.size());
  const std::string message = message_of(text + "[model]\nweights = \"nowhere\"\n");
  EXPECT_THAT(message, HasSubstr(":13: model.weights: no folder"));
  EXPECT_EQ(message.find("no folder"), message.rfind("no folder"));
}

TEST(ExperimentErrors, WrongTypesAndRanges) {
  EXPECT_THAT(more("alpha = \"a lot\"\n"),
              HasSubstr(":14: method.kd.alpha: expected a number from 0 to 1, found text"));
  EXPECT_THAT(more("alpha = 1.5\n"), HasSubstr("expected a number from 0 to 1, found 1.5"));
  EXPECT_THAT(more("alpha = nan\n"), HasSubstr("expected a number from 0 to 1, found nan"));
  EXPECT_THAT(with_set("train.epochs=2.5"),
              HasSubstr("--set train.epochs=2.5: train.epochs: expected an integer from 1 to "));
  EXPECT_THAT(with_set("train.epochs=0"),
              HasSubstr("expected an integer from 1 to 1000000, found 0"));
  EXPECT_THAT(with_set("method.kd=1"), HasSubstr("expected method.kd.<key>=value"));
  EXPECT_THAT(with_set("train.epochs=9223372036854775807"), HasSubstr("train.epochs: expected"));
  EXPECT_THAT(with_set("train.batch_size=2000000000"), HasSubstr("found 2000000000"));
  EXPECT_THAT(with_set("data.max_seq_length=2000000"), HasSubstr("from 5 to 1048576"));
  EXPECT_THAT(with_set("name=" + std::string(81, 'a')), HasSubstr("expected at most 80 letters"));
  EXPECT_THAT(with_set("train.batch_size=0"), HasSubstr("train.batch_size"));
  EXPECT_THAT(with_set("train.learning_rate=0"), HasSubstr("expected a number > 0, found 0"));
  EXPECT_THAT(with_set("train.warmup=1"), HasSubstr("expected a number >= 0 and < 1, found 1"));
  EXPECT_THAT(with_set("train.dropout=1"), HasSubstr("train.dropout"));
  EXPECT_THAT(with_set("train.shuffle=1"), HasSubstr("expected true or false, found integer"));
  EXPECT_THAT(with_set("train.seeds=[1, 1]"), HasSubstr("a seed is listed twice"));
  EXPECT_THAT(with_set("train.seeds=[]"), HasSubstr("at least one seed"));
  EXPECT_THAT(with_set("train.seeds=1"), HasSubstr("expected a list of integers, found integer"));
  EXPECT_THAT(with_set("train=3"), HasSubstr("train: expected a table, found integer"));
  EXPECT_THAT(with_set("train.checkpoint=bset"), HasSubstr("did you mean 'best'?"));
}

TEST(ExperimentErrors, AllProblemsAtOnce) {
  const std::string message = message_of(R"(name = "../bad"
colour = 1
[data]
root = "nowhere"
tasks = ["RTE", "MPRC", "RTE"]
[student]
weights = "student"
[train]
epochs = "three"
warmup = 2
[[method]]
name = "kd"
temprature = 2
)");
  for (const char* part : {":1: name: expected at most 80 letters", ":2: colour: unknown key",
                           ":4: data.root: no folder", ":5: data.tasks:", "did you mean 'MRPC'?",
                           "'RTE' is listed twice", ":9: train.epochs", ":10: train.warmup",
                           ":13: method.kd.temprature"}) {
    EXPECT_THAT(message, HasSubstr(part));
  }
  EXPECT_THAT(message, HasSubstr("8 problems:"));
}

TEST(ExperimentErrors, NotAvailableYet) {
  EXPECT_THAT(with_set("train.optimizer=sgd"), HasSubstr("\"sgd\" is not available yet"));
  EXPECT_THAT(with_set("train.precision=fp64"), Not(HasSubstr("not available yet")));
  EXPECT_THAT(with_set("student.architecture=resnet"), HasSubstr("not available yet"));
}

TEST(ExperimentErrors, KeysForOneTask) {
  EXPECT_THAT(more("[method.task.RTF]\nalpha = 1\n"), HasSubstr("did you mean 'RTE'?"));
  EXPECT_THAT(more("[method.task.RTE]\nalhpa = 1\n"),
              HasSubstr(":15: method.kd.task.RTE.alhpa: unknown key (did you mean 'alpha'?)"));
  EXPECT_THAT(more("[method.task.RTE]\nalpha = 2\n"),
              HasSubstr(":15: method.kd.task.RTE.alpha: expected a number from 0 to 1, found 2"));
  EXPECT_THAT(more("[method.task.RTE.train]\nepoch = 2\n"),
              HasSubstr(":15: method.kd.task.RTE.train.epoch: unknown key"));
  EXPECT_THAT(more("[method.grid]\nalpha = [0.1]\n[method.task.RTE]\nalpha = 0.5\n"),
              HasSubstr(":17: method.kd.task.RTE.alpha: is searched in [method.grid]"));
  EXPECT_THAT(more("[method.grid.train]\nclip = [1.0]\n[method.task.RTE.train]\nclip = 0.5\n"),
              HasSubstr(":17: method.kd.task.RTE.train.clip: is searched in [method.grid]"));
}

TEST(ExperimentErrors, WhatAMethodRefusesHasItsPlace) {
  EXPECT_THAT(more("[[method]]\nname = \"annealing-kd\"\nphase1_epochs = 2\n"
                   "max_temperature = 7\n"),
              HasSubstr("experiment.toml:14: method annealing-kd: max_temperature: "));
  // By its value on the task.
  EXPECT_THAT(more("[[method]]\nname = \"annealing-kd\"\n[method.task.RTE]\nphase1_epochs = 2\n"),
              HasSubstr("experiment.toml:14, RTE: method annealing-kd: max_temperature: "));
}

TEST(ExperimentErrors, AssistantsAndTeachersThatLearn) {
  EXPECT_THAT(with_set("method.kd.name=takd"), HasSubstr("method 'takd' needs an assistant"));
  EXPECT_THAT(more("[assistant]\nweights = \"nowhere\"\n"),
              HasSubstr(":15: assistant.weights: no folder"));
  EXPECT_THAT(more("teacher_outputs = \"store\"\n[[method]]\nname = \"prokt\"\n"
                   "teacher_outputs = \"store\"\n"),
              HasSubstr("method 'prokt' trains its teacher, whose outputs change"));
}

TEST(ExperimentErrors, Methods) {
  EXPECT_THAT(with_set("method.kd.name=kdd"),
              AllOf(HasSubstr("unknown method"), HasSubstr("did you mean 'kd'?")));
  EXPECT_THAT(more("[[method]]\nname = \"kd\"\n"),
              AllOf(HasSubstr(":14: the label 'kd' is taken"), HasSubstr("label = ")));
  EXPECT_THAT(more("[[method]]\nalpha = 1\n"), HasSubstr(":14: method.name: is missing"));
  EXPECT_THAT(more("[method.grid]\nalpha = 0.5\n"), HasSubstr("expected a list of values"));
  EXPECT_THAT(more("[method.grid]\nalpha = [0.5, 2]\n"),
              HasSubstr(":15: method.kd.grid.alpha: expected a number from 0 to 1, found 2"));
  EXPECT_THAT(more("[method.grid]\nbeta = [0.5]\n"),
              HasSubstr(":15: method.kd.grid.beta: unknown"));
  EXPECT_THAT(more("teacher_outputs = \"missing.h5\"\n"), HasSubstr("no file "));
}

TEST(ExperimentErrors, TrainingKeysOfGrids) {
  const auto grid = [](const std::string& key) { return more("[method.grid.train]\n" + key); };
  const std::string place = ":15: method.kd.grid.train.";
  EXPECT_THAT(grid("epochs = 4\n"),
              HasSubstr(place + "epochs: expected a list of values, found integer"));
  EXPECT_THAT(grid("epochs = []\n"), HasSubstr(place + "epochs: expected a list of values"));
  EXPECT_THAT(
      grid("epochs = [4, 2.5, 0]\n"),
      AllOf(HasSubstr(place + "epochs: expected an integer from 1 to 1000000, found number"),
            HasSubstr(place + "epochs: expected an integer from 1 to 1000000, found 0")));
  EXPECT_THAT(grid("optimizer = [\"adam\"]\n"), HasSubstr("did you mean 'adamw'?"));
  EXPECT_THAT(grid("learning_rat = [1e-5, 2e-5]\n"),
              AllOf(HasSubstr(place + "learning_rat: unknown key"), HasSubstr("did you mean 'lear"),
                    Not(HasSubstr("2 problems"))));
  EXPECT_THAT(grid("seeds = [1, 2]\n"), HasSubstr(place + "seeds: is no key to search"));
  EXPECT_THAT(grid("epochs = [2, 2]\n"), HasSubstr("the label 'kd[train.epochs=2]' is taken"));
  EXPECT_THAT(more("[method.grid]\ntrain = [1]\n"), HasSubstr("expected a table, found list"));
  EXPECT_THAT(with_set("method.kd[alpha=0.1].temperature=2"),
              HasSubstr("a grid's points cannot be set one by one (method.kd.<key>=value"));
}

TEST(ExperimentErrors, TeacherIsNeeded) {
  const std::string text = R"(name = "alone"
[data]
root = "data"
tasks = ["RTE"]
max_seq_length = 32
[student]
weights = "student"
[[method]]
name = "kd"
[method.grid]
alpha = [0.1, 0.2]
)";
  EXPECT_THAT(message_of(text),
              AllOf(HasSubstr(":8: method 'kd' needs a teacher"), Not(HasSubstr("problems:"))));
}

TEST(ExperimentErrors, Models) {
  EXPECT_THAT(with_set("student.weights=nowhere"), HasSubstr("student.weights: no folder"));
  EXPECT_THAT(with_set("student.layers=3"),
              AllOf(HasSubstr("the weights have 2 layers"), HasSubstr("first-layers")));
  EXPECT_THAT(with_set("student.init=first-layers"), HasSubstr("needs layers"));
  EXPECT_THAT(message_of(kExperiment, {"student.init=first-layers", "student.layers=3"}),
              HasSubstr("student.layers: expected at most 2"));
  EXPECT_THAT(with_set("student.hidden=3"), HasSubstr("cannot be given beside weights"));
  EXPECT_THAT(with_set("data.max_seq_length=65"), HasSubstr("64 positions"));
  EXPECT_THAT(more("[method.student]\narchitecture = \"bert\"\nlayers = 1\n"),
              AllOf(HasSubstr("hidden: is missing"), HasSubstr("tokenizer: is missing")));
  EXPECT_THAT(more("[method.student]\n"), HasSubstr("method.kd.student.weights: is missing"));
}

TEST(ExperimentErrors, SyntheticData) {
  EXPECT_THAT(message_of(kExperiment, {"data.root=synthetic", "data.tasks=[\"SST-2\", \"QQP\"]"}),
              AllOf(HasSubstr("data.tasks: there is no synthetic corpus for QQP"),
                    HasSubstr("CoLA, SST-2, MRPC, STS-B, MNLI")));
  EXPECT_THAT(message_of(kExperiment, {"data.root=syntetic"}), HasSubstr("no folder"));
}

TEST(ExperimentErrors, Data) {
  EXPECT_THAT(with_set("data.tasks=[\"CoLA\"]"), AllOf(HasSubstr("no file"), HasSubstr("CoLA")));
  EXPECT_EQ(with_set("data.tasks=[\"MNLI\"]"), "no error");  // dev_mismatched may be missing
  EXPECT_THAT(with_set("data.tasks=[\"AX\"]"),
              HasSubstr("AX is GLUE's diagnostic set: it has no training rows"));
  EXPECT_THAT(with_set("data.tasks=RTE"), HasSubstr("expected a list of texts"));
  EXPECT_THAT(with_set("train.best_metric=f1"), HasSubstr("RTE has no metric 'f1'"));
}

TEST(ExperimentErrors, Overrides) {
  EXPECT_THAT(with_set("train.epcohs=2"),
              AllOf(HasSubstr("--set train.epcohs=2: train.epcohs: unknown key"),
                    HasSubstr("did you mean 'epochs'?")));
  EXPECT_THAT(with_set("method.kb.alpha=2"), HasSubstr("did you mean 'kd'?"));
  EXPECT_THAT(with_set("name.first=2"), HasSubstr("'name' is no table"));
  EXPECT_THAT(with_set("train.epochs"), HasSubstr("expected key=value"));
  EXPECT_THAT(with_set("name=a\"b\\c"), HasSubstr("found \"a\"b\\c\""));
}

TEST(ExperimentErrors, SyntaxErrorHasItsLine) {
  EXPECT_THAT(message_of("name = \"a\"\nkey = = 3\n"), HasSubstr("experiment.toml:2: "));
  try {
    load_experiment("/nonexistent.toml", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("/nonexistent.toml: there is no such file"));
  }
}

}  // namespace
}  // namespace kdbench::experiment_errors_test
