// SPDX-License-Identifier: MIT
// The experiment file: what is understood, the order of layers, overrides and grids.
#include "suite/config/experiment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/base/error.h"
#include "io/synthetic/synthetic.h"
#include "suite/config/experiment_toml.h"
#include "tests/suite/config/experiment_folder.h"
#include "tests/support/test_data.h"

namespace kdbench::experiment_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::ExperimentFolder;
using testing::kExperiment;

TEST(Experiment, ReadsFileAndFillsDefaults) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(kExperiment);
  EXPECT_EQ(experiment.name, "tiny");
  EXPECT_EQ(experiment.data.root, folder / "data");
  EXPECT_THAT(experiment.data.tasks, ElementsAre("RTE"));
  EXPECT_EQ(experiment.teacher->model.weights, folder / "teacher");
  EXPECT_FALSE(experiment.teacher->train.has_value());
  EXPECT_EQ(experiment.student->init, "weights");
  ASSERT_EQ(experiment.methods.size(), 1u);
  const MethodSettings& kd = experiment.methods[0];
  EXPECT_EQ(kd.label, "kd");
  EXPECT_EQ(kd.teacher_outputs, "auto");
  EXPECT_DOUBLE_EQ(kd.options.get<double>("alpha"), 0.5);
  const TrainSettings train = experiment.train_of("RTE", kd);
  EXPECT_EQ(train.epochs, 2);
  EXPECT_EQ(train.batch_size, 32);
  EXPECT_DOUBLE_EQ(train.learning_rate, 5e-5);
  EXPECT_FALSE(train.dropout.has_value());
  EXPECT_THAT(train.seeds, ElementsAre(1));
}

// Relative to the file, or to the working folder where --set writes it.
TEST(Experiment, LayersOfTrainOverrideEachOther) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(R"(name = "layers"
[data]
root = "data"
tasks = ["RTE", "MRPC"]
max_seq_length = 32
train_limit = 100
[task.MRPC.train]
epochs = 5
batch_size = 8
[task.MRPC.data]
train_limit = 7
max_seq_length = 16
[teacher]
weights = "teacher"
[teacher.train]
epochs = 9
[student]
weights = "student"
[train]
epochs = 3
weight_decay = 1
[[method]]
name = "kd"
[method.train]
epochs = 7
)");
  const MethodSettings& kd = experiment.methods.at(0);
  EXPECT_EQ(experiment.train_of("RTE", kd).epochs, 7);
  EXPECT_EQ(experiment.train_of("MRPC", kd).epochs, 7);
  EXPECT_EQ(experiment.train_of("MRPC", kd).batch_size, 8);
  EXPECT_EQ(experiment.train_of("RTE", kd).batch_size, 32);
  EXPECT_DOUBLE_EQ(experiment.train_of("RTE", kd).weight_decay, 1.0);
  EXPECT_EQ(experiment.teacher_train_of("RTE").epochs, 9);
  EXPECT_EQ(experiment.teacher_train_of("MRPC").batch_size, 8);
  EXPECT_EQ(experiment.train_limit_of("RTE"), 100);
  EXPECT_EQ(experiment.train_limit_of("MRPC"), 7);
  EXPECT_EQ(experiment.max_seq_length_of("MRPC"), 16);
}

TEST(Experiment, OverridesWinOverTheFile) {
  const ExperimentFolder folder;
  const Experiment experiment =
      folder.load(kExperiment, {"train.epochs=6", "train.learning_rate=2e-5", "train.seeds=[3, 4]",
                                "method.kd.alpha=1", "method.kd.train.batch_size=4",
                                "task.RTE.train.clip=2", "train.checkpoint=best", "name=other"});
  const MethodSettings& kd = experiment.methods.at(0);
  const TrainSettings train = experiment.train_of("RTE", kd);
  EXPECT_EQ(experiment.name, "other");
  EXPECT_EQ(train.epochs, 6);
  EXPECT_DOUBLE_EQ(train.learning_rate, 2e-5);
  EXPECT_THAT(train.seeds, ElementsAre(3, 4));
  EXPECT_EQ(train.batch_size, 4);
  EXPECT_DOUBLE_EQ(train.clip, 2.0);
  EXPECT_EQ(train.checkpoint, "best");
  EXPECT_DOUBLE_EQ(kd.options.get<double>("alpha"), 1.0);
}

TEST(Experiment, OverriddenPathsStartAtTheWorkingFolder) {
  const ExperimentFolder folder, elsewhere;
  const fs::path before = fs::current_path();
  fs::current_path(elsewhere.path());
  const Experiment experiment = folder.load(kExperiment, {"student.weights=student"});
  fs::current_path(before);
  EXPECT_EQ(experiment.student->weights, elsewhere / "student");
  EXPECT_EQ(experiment.teacher->model.weights, folder / "teacher");
}

// kExperiment with [model] in place of the weights of its models.
std::string with_base_model() {
  std::string text = kExperiment;
  for (const std::string own : {"weights = \"teacher\"\n", "weights = \"student\"\n"})
    text.erase(text.find(own), own.size());
  return text + "[model]\nweights = \"teacher\"\n";
}

TEST(Experiment, AModelThatNamesNoWeightsHasThoseOfAll) {
  const ExperimentFolder folder;
  const Experiment shared = folder.load(with_base_model());
  EXPECT_EQ(shared.teacher->model.weights, folder / "teacher");
  EXPECT_EQ(shared.student->weights, folder / "teacher");
  const std::string other = (folder / "student").string();
  const Experiment set = folder.load(with_base_model(), {"model.weights=" + other});
  EXPECT_EQ(set.teacher->model.weights, folder / "student");
  EXPECT_EQ(set.student->weights, folder / "student");
  const Experiment one = folder.load(with_base_model(), {"student.weights=" + other});
  EXPECT_EQ(one.teacher->model.weights, folder / "teacher");
  EXPECT_EQ(one.student->weights, folder / "student");
  // Both by themselves: the file's own is not needed.
  const Experiment both =
      folder.load(with_base_model(), {"teacher.weights=" + other, "student.weights=" + other});
  EXPECT_EQ(both.teacher->model.weights, folder / "student");
}

TEST(Experiment, LabelsWithDotsCanBeOverridden) {
  const ExperimentFolder folder;
  const Experiment experiment =
      folder.load(kExperiment + "label = \"kd-0.5\"\n", {"method.kd-0.5.temperature=3"});
  EXPECT_DOUBLE_EQ(experiment.methods.at(0).options.get<double>("temperature"), 3.0);
}

TEST(Experiment, GridGivesOneMethodForEachPoint) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(kExperiment + R"(alpha = 0.9
temperature = 7.5
[method.grid]
temperature = [5, 10.0]
alpha = [0.2, 0.5]
)");
  std::vector<std::string> labels;
  for (const auto& method : experiment.methods) labels.push_back(method.label);
  EXPECT_THAT(labels, ElementsAre("kd[alpha=0.2,temperature=5]", "kd[alpha=0.2,temperature=10]",
                                  "kd[alpha=0.5,temperature=5]", "kd[alpha=0.5,temperature=10]"));
  EXPECT_DOUBLE_EQ(experiment.methods[1].options.get<double>("temperature"), 10.0);
  EXPECT_EQ(experiment.methods[2].grid_point.at("alpha"), "0.5");
}

std::vector<std::string> labels_of(const Experiment& experiment) {
  std::vector<std::string> labels;
  for (const auto& method : experiment.methods) labels.push_back(method.label);
  return labels;
}

const std::string kTrainingGrid = kExperiment + R"(temperature = 3
[method.train]
epochs = 7
clip = 2
[method.grid]
alpha = [0.2, 0.5]
[method.grid.train]
learning_rate = [5e-5, 2e-5]
epochs = [4]
optimizer = ["bert_adam"]
)";

TEST(Experiment, TrainingKeysJoinTheGrid) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(kTrainingGrid, {"train.batch_size=8"});
  const std::string shared = ",train.epochs=4,train.learning_rate=";
  const std::string last = ",train.optimizer=bert_adam]";
  EXPECT_THAT(labels_of(experiment), ElementsAre("kd[alpha=0.2" + shared + "5e-05" + last,
                                                 "kd[alpha=0.2" + shared + "2e-05" + last,
                                                 "kd[alpha=0.5" + shared + "5e-05" + last,
                                                 "kd[alpha=0.5" + shared + "2e-05" + last));
  const MethodSettings& point = experiment.methods[1];
  EXPECT_EQ(point.grid, "kd");
  EXPECT_EQ(point.grid_point.at("train.learning_rate"), "2e-05");
  const TrainSettings train = experiment.train_of("RTE", point);
  EXPECT_DOUBLE_EQ(train.learning_rate, 2e-5);
  EXPECT_EQ(train.epochs, 4);  // before [method.train]
  EXPECT_EQ(train.optimizer, "bert_adam");
  EXPECT_DOUBLE_EQ(train.clip, 2.0);
  EXPECT_EQ(train.batch_size, 8);
  EXPECT_DOUBLE_EQ(point.options.get<double>("temperature"), 3.0);
  EXPECT_DOUBLE_EQ(experiment.train_of("RTE", experiment.methods[2]).learning_rate, 5e-5);
}

TEST(Experiment, OverridesHoldAKeyOfTheGridStill) {
  const ExperimentFolder folder;
  // The point keeps the label that it has in the whole grid: its finished runs are found again.
  const std::string rest = ",train.epochs=4,train.learning_rate=2e-05,train.optimizer=bert_adam]";
  EXPECT_THAT(labels_of(folder.load(kTrainingGrid,
                                    {"method.kd.alpha=0.5", "method.kd.train.learning_rate=2e-5"})),
              ElementsAre("kd[alpha=0.5" + rest));
  EXPECT_THAT(labels_of(folder.load(kTrainingGrid, {"method.kd.grid.alpha=[0.1]",
                                                    "method.kd.grid.train.learning_rate=[2e-5]"})),
              ElementsAre("kd[alpha=0.1" + rest));
}

TEST(Experiment, AMethodsKeysMayDifferByTask) {
  const ExperimentFolder folder;
  const std::string text = kExperiment + R"(temperature = 3
[method.grid]
alpha = [0.2, 0.5]
[method.task.RTE]
temperature = 9
[method.task.RTE.train]
epochs = 8
)";
  const Experiment experiment = folder.load(text, {"method.kd.task.STS-B.temperature=4"});
  ASSERT_EQ(experiment.methods.size(), 2U);
  const MethodSettings& point = experiment.methods[1];
  EXPECT_DOUBLE_EQ(point.options_of("MRPC").get<double>("temperature"), 3.0);
  EXPECT_DOUBLE_EQ(point.options_of("STS-B").get<double>("temperature"), 4.0);
  EXPECT_DOUBLE_EQ(point.options_of("RTE").get<double>("temperature"), 9.0);
  EXPECT_DOUBLE_EQ(point.options_of("RTE").get<double>("alpha"), 0.5);
  EXPECT_EQ(experiment.train_of("RTE", point).epochs, 8);
  EXPECT_EQ(experiment.train_of("MRPC", point).epochs, 2);
  EXPECT_EQ(experiment.to_json()["methods"][1]["task_options"],
            nlohmann::json({{"RTE", {{"temperature", 9.0}}}, {"STS-B", {{"temperature", 4.0}}}}));
  EXPECT_FALSE(folder.load(kExperiment).to_json()["methods"][0].contains("task_options"));
}

TEST(Experiment, StudentMayTakeFirstLayers) {
  const ExperimentFolder folder;
  const Experiment experiment =
      folder.load(kExperiment, {"student.weights=" + (folder / "teacher").string(),
                                "student.init=first-layers", "student.layers=3"});
  EXPECT_EQ(experiment.student->layers, 3);
  EXPECT_EQ(experiment.student->init, "first-layers");
}

TEST(Experiment, ArchitectureWithoutWeightsIsRandom) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(kExperiment + R"([method.student]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
tokenizer = "student"
)");
  const ModelSettings& student = *experiment.methods.at(0).student;
  EXPECT_EQ(student.init, "random");
  EXPECT_EQ(student.sizes.at("hidden"), 8);
  EXPECT_EQ(student.tokenizer, folder / "student");
}

TEST(Experiment, SyntheticDataBringTheVocabulary) {
  const ExperimentFolder folder;
  const Experiment experiment = folder.load(R"(name = "synthetic"
[data]
root = "synthetic"
tasks = ["SST-2", "MNLI"]
max_seq_length = 32
[teacher]
weights = "teacher"
[student]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
[[method]]
name = "finetune"
[[method]]
name = "kd"
[method.student]
architecture = "bert"
layers = 1
hidden = 8
heads = 2
tokenizer = "student"
)");
  EXPECT_TRUE(experiment.data.synthetic);
  EXPECT_EQ(experiment.student->sizes.at("vocabulary"),
            static_cast<int64_t>(synthetic_vocabulary().size()));
  EXPECT_EQ(experiment.teacher->model.sizes.count("vocabulary"), 0U);
  EXPECT_EQ(experiment.methods[1].student->sizes.count("vocabulary"), 0U);
  EXPECT_EQ(experiment.to_json().at("data").at("root"), "synthetic");
}

TEST(Experiment, ResolvedJsonDoesNotDependOnTheFileName) {
  const ExperimentFolder folder;
  const auto first = folder.load(kExperiment).to_json();
  const auto second =
      load_experiment(folder.write("copy.toml", "# the same\n" + kExperiment), {}).to_json();
  EXPECT_EQ(first, second);
  EXPECT_EQ(first.at("methods").at(0).at("train").at("RTE").at("epochs"), 2);
  EXPECT_EQ(first.at("methods").at(0).at("options").at("alpha"), 0.5);
}

TEST(Experiment, TheCasesOfTheTestsLoad) {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(testing::test_data("parity"))) {
    const Experiment experiment = load_experiment(entry.path() / "experiment.toml", {});
    EXPECT_EQ(experiment.name, entry.path().filename());
    ++cases;
  }
  EXPECT_EQ(cases, 25);
}

TEST(Experiment, MethodsLearnFromTheTransferSetOrFromTrainingRows) {
  const ExperimentFolder folder;
  const std::string methods =
      "alpha = 1.0\n[transfer]\nkind = \"rules\"\nn_iter = 3\nwindow_lengths = [2]\noriginals = "
      "true\n"
      "[[method]]\nname = \"d-lite\"\n";
  const Experiment experiment = folder.load(kExperiment + methods);
  ASSERT_TRUE(experiment.transfer);
  EXPECT_EQ(experiment.transfer->kind, "rules");
  EXPECT_EQ(experiment.transfer->labels, "none");
  const TransferOptions& set = experiment.transfer->rules.set;
  EXPECT_TRUE(set.originals);
  EXPECT_EQ(set.rules.n_iter, 3);
  EXPECT_EQ(set.rules.window_lengths, std::vector<int64_t>{2});
  EXPECT_EQ(set.rules.window_prob, 0.25);
  EXPECT_EQ(experiment.methods.at(0).transfer, "");
  EXPECT_EQ(experiment.methods.at(1).transfer, "rules");
  const Experiment turned =
      folder.load(kExperiment + methods, {"method.kd.transfer=set", "method.d-lite.transfer=none"});
  EXPECT_EQ(turned.methods.at(0).transfer, "rules");
  EXPECT_EQ(turned.methods.at(1).transfer, "");
  EXPECT_EQ(folder.load(kExperiment + std::string("[[method]]\nname = \"d-lite\"\n"))
                .methods.at(1)
                .transfer,
            "");
}

// What learns from training rows is the same run with and without the table.
TEST(Experiment, ATransferSetIsOfTheMethodsThatTakeIt) {
  const ExperimentFolder folder;
  const Experiment experiment =
      folder.load(kExperiment + "[transfer]\nkind = \"rules\"\n[[method]]\nname = \"d-lite\"\n");
  const auto config = [&](size_t method) {
    return run_config(experiment, experiment.task("RTE"), &experiment.methods.at(method));
  };
  EXPECT_FALSE(config(0).contains("transfer"));
  EXPECT_EQ(config(1).at("transfer").at("mask_prob"), 0.1);
  EXPECT_EQ(experiment.to_json().at("methods").at(1).at("transfer"), "rules");
}

TEST(Experiment, AFileOfRowsIsAnAbsolutePath) {
  const ExperimentFolder folder;
  folder.write("set.tsv", "sentence1\tsentence2\na\tb\n");
  const std::string text =
      kExperiment + "[transfer]\nkind = \"set.tsv\"\n[[method]]\nname = \"d-lite\"\n";
  const Experiment experiment = folder.load(text);
  EXPECT_EQ(experiment.transfer->kind, "file");
  EXPECT_EQ(*experiment.transfer->file, folder / "set.tsv");
  // The experiment that a run leaves names the same file.
  EXPECT_EQ(folder.load(experiment_toml(experiment.to_json())).to_json(), experiment.to_json());
}

}  // namespace
}  // namespace kdbench::experiment_test
