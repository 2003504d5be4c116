// SPDX-License-Identifier: MIT
// Teachers, assistants, stores and memories: the plan names what the run then makes, whom a run
// learns from is in its name, and what cannot work is found first.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "io/base/error.h"
#include "io/weights/safetensors.h"
#include "reports/comparison.h"
#include "suite/walks/make.h"
#include "suite/walks/plan.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::plan_sources_test {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kModel = R"(architecture = "bert"
hidden = 8
heads = 2
max_positions = 16
tokenizer = "tokenizer"
)";

class Sources : public ::testing::Test {
 protected:
  Sources() {
    folder.write("tokenizer/vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nc\n");
    std::string rows = "index\tsentence1\tsentence2\tlabel\n";
    for (int row = 0; row < 7; ++row) {
      rows += std::to_string(row) + "\ta b\tc" + (row % 2 ? " a" : "") +
              (row % 3 ? "\tentailment\n" : "\tnot_entailment\n");
    }
    for (const char* split : {"train", "dev"})
      folder.write(std::string("data/RTE/") + split + ".tsv", rows);
    models = std::string("[teacher]\nlayers = 3\n") + kModel + "[teacher.train]\n" +
             "[assistant]\nlayers = 2\n" + kModel + "[assistant.train]\n";
  }

  // An experiment with these [[method]]s.
  Experiment load(const std::string& methods, const std::vector<std::string>& overrides = {},
                  ExperimentPart part = ExperimentPart::kAll) {
    const std::string student = std::string("[student]\nlayers = 2\n") + kModel;
    folder.write(
        "experiment.toml",
        "name = \"tiny\"\n[data]\nroot = \"data\"\ntasks = [\"RTE\"]\nmax_seq_length = 16\n" +
            models + (part == ExperimentPart::kAll ? student : "") +
            "[train]\nbatch_size = 4\nepochs = 1\nlearning_rate = 1e-3\nseeds = [1, 2]\n" +
            methods);
    return load_experiment(folder / "experiment.toml", overrides, part);
  }
  Workspace workspace() const {
    return {control,
            *collectives,
            at::kCPU,
            1,
            folder / "out",
            "sources test",
            std::make_shared<Log>(true, "")};
  }
  Plan plan(const Experiment& experiment) const {
    return make_plan(experiment, {.ranks = 1}, workspace());
  }

  // Names of the stages of a kind.
  static std::vector<std::string> names(const Plan& plan, const std::string& kind) {
    std::vector<std::string> found;
    for (const auto& stage : plan.stages) {
      if (stage.kind == kind) found.push_back(stage.name);
    }
    return found;
  }
  static std::vector<std::string> texts(const Plan& plan, const std::string& kind) {
    std::vector<std::string> found;
    for (const auto& stage : plan.stages) {
      if (stage.kind == kind) found.push_back(stage.what);
    }
    return found;
  }

  std::set<std::string> made(const char* where) const {
    std::set<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder / "out" / where)) {
      const std::string name = entry.path().filename();
      if (entry.is_directory() && name != "locks") found.insert(name);
    }
    return found;
  }

  // The run makes the stages that the plan lists, each listed once, and no others; a second one
  // makes nothing.
  Plan expect_made_as_planned(const Experiment& experiment) {
    const Plan before = plan(experiment);
    const ExperimentRuns result = make_experiment(experiment, workspace());
    EXPECT_EQ(result.failed, 0);
    std::set<std::string> planned;
    for (const auto& stage : before.stages) {
      if (stage.kind == "run") continue;
      EXPECT_TRUE(planned.insert(stage.name).second) << stage.kind << " " << stage.what;
    }
    EXPECT_EQ(planned, made(".stages"));
    const std::set<std::string> runs = made("tiny");
    for (const auto& name : names(before, "run")) {
      if (name.empty()) continue;  // it depends on weights
      EXPECT_THAT(runs, Contains(name));
    }
    EXPECT_EQ(make_experiment(experiment, workspace()).done, 0);
    return before;
  }

  std::string refusal(const Experiment& experiment) const {
    return testing::user_error_of([&] { plan(experiment); });
  }

  // The model of the experiment's one teacher, made alone.
  fs::path finished_teacher() {
    const ExperimentRuns made = make_experiment(load("[[method]]\nname = \"kd\"\n"), workspace(),
                                                {}, ExperimentPart::kTeachers);
    EXPECT_EQ(made.done, 1);
    const auto record = read_runs(made.runs).front();
    return made.runs.front() / record.at("model").get<std::string>();
  }

  // A finished teacher's folder without its classifier, as a pre-trained model has none.
  fs::path headless_teacher() {
    const fs::path copy = folder / "headless";
    fs::copy(finished_teacher(), copy, fs::copy_options::recursive);
    TensorMap tensors = read_safetensors(copy / "model.safetensors");
    for (auto& [name, tensor] : tensors) tensor = tensor.clone();
    EXPECT_EQ(tensors.erase("classifier.weight") + tensors.erase("classifier.bias"), 2U);
    fs::remove(copy / "model.safetensors");
    write_safetensors(copy / "model.safetensors", tensors);
    fs::remove_all(folder / "out");
    return copy;
  }

  testing::TempFolder folder;
  std::string models;  // [teacher] and [assistant]
  const Control control{MPI_COMM_SELF};
  std::unique_ptr<Collectives> collectives = make_single_collectives();
};

constexpr const char* kTakd = "[[method]]\nname = \"takd\"\n";

TEST_F(Sources, MethodsWithTheSameOptionsShareTheirAssistant) {
  const Plan found = expect_made_as_planned(
      load(std::string(kTakd) + kTakd + "label = \"longer\"\n[method.train]\nepochs = 2\n"));
  EXPECT_EQ(names(found, "assistant").size(), 1U);
  EXPECT_THAT(texts(found, "teacher-outputs"),
              ElementsAre("RTE seed 1: logits", "RTE assistant seed 1: logits"));
  ASSERT_EQ(found.work.size(), 4U);
  EXPECT_EQ(found.work[1].label, "assistant");
  EXPECT_EQ(found.work[1].seeds, std::vector<int64_t>{1});
  EXPECT_EQ(found.work[1].teacher_outputs, 7 * (8 + 2 * 4));
}

TEST_F(Sources, TheAssistantIsInTheNamesOfItsStudents) {
  const std::string methods = std::string(kTakd) + "[[method]]\nname = \"kd\"\n";
  const auto usual = names(plan(load(methods)), "run");
  const auto other = names(plan(load(methods, {"assistant.train.epochs=2"})), "run");
  EXPECT_NE(usual[0], other[0]);  // takd
  EXPECT_EQ(usual[2], other[2]);  // kd
}

TEST_F(Sources, OnlineModelsStoreNothing) {
  const std::string online = "teacher_outputs = \"online\"\n";
  const Plan found = expect_made_as_planned(
      load(kTakd + online + "[[method]]\nname = \"fsd\"\nvariant = \"G\"\ncentroids = 2\n" +
           online + "[[method]]\nname = \"finetune\"\n"));
  EXPECT_THAT(names(found, "teacher-outputs"), ElementsAre());
  EXPECT_EQ(names(found, "feature-memory").size(), 1U);
  EXPECT_THAT(texts(found, "run"),
              ElementsAre("RTE takd seed 1, teacher online", "RTE takd seed 2, teacher online",
                          "RTE fsd seed 1, teacher online", "RTE fsd seed 2, teacher online",
                          "RTE finetune seed 1", "RTE finetune seed 2"));
}

// In 2 epochs: the students' own work is the same, the teacher's is added.
TEST_F(Sources, ATeacherOnlineIsCounted) {
  const std::string kd = "[[method]]\nname = \"kd\"\n";
  const std::vector<std::string> twice{"train.epochs=2"};
  const Plan stored = plan(load(kd, twice));
  const Plan online = plan(load(kd + "teacher_outputs = \"online\"\n", twice));
  const auto flops = [](const Plan& plan, const std::string& kind) {
    return std::find_if(plan.stages.begin(), plan.stages.end(),
                        [&](const StagePlan& stage) { return stage.kind == kind; })
        ->flops;
  };
  const double pass = flops(stored, "teacher-outputs");  // one over all rows
  EXPECT_GT(pass, 0.0);
  const double epochs = static_cast<double>(online.work.back().training.epochs);
  EXPECT_DOUBLE_EQ(flops(online, "run"), flops(stored, "run") + epochs * pass);
  EXPECT_DOUBLE_EQ(online.work.back().teacher_flops, epochs * pass);
  EXPECT_DOUBLE_EQ(online.work.back().flops(), flops(online, "run"));
  EXPECT_DOUBLE_EQ(stored.work.back().flops(), stored.work.back().training.flops);
  EXPECT_GT(online.seconds(), 0.0);
}

TEST_F(Sources, AMethodThatTakesNoOutputsStoresNone) {
  const Plan found =
      expect_made_as_planned(load("[[method]]\nname = \"prokt\"\nteacher_start = \"fine-tuned\"\n"
                                  "[[method]]\nname = \"kd\"\n[method.train]\nseeds = [2]\n",
                                  {"teacher.per_seed=true"}));
  EXPECT_EQ(names(found, "teacher").size(), 2U);
  EXPECT_THAT(texts(found, "teacher-outputs"), ElementsAre("RTE seed 2: logits"));
}

TEST_F(Sources, AMemoryOfAFilesStatesIsAStageToo) {
  const std::string fsd = "[[method]]\nname = \"fsd\"\nvariant = \"G\"\ncentroids = 2\n";
  const Plan stored = expect_made_as_planned(load(fsd));
  const std::string store = names(stored, "teacher-outputs").front();
  fs::copy(folder / "out/.stages" / store / "teacher.h5", folder / "mine.h5");
  fs::remove_all(folder / "out");
  const Plan found = expect_made_as_planned(load(fsd + "teacher_outputs = \"mine.h5\"\n"));
  EXPECT_THAT(texts(found, "feature-memory"), ElementsAre("RTE mine.h5: 2 centroids of layer 2"));
  EXPECT_NE(names(found, "feature-memory"), names(stored, "feature-memory"));
}

TEST_F(Sources, AStudentOfTheFineTunedTeacherBesideAPretrainedOne) {
  expect_made_as_planned(load("[[method]]\nname = \"prokt\"\n",
                              {"student.init=first-layers", "student.init_from=teacher"}));
}

TEST_F(Sources, ATeacherThatNobodyTakesNeedNotBeReady) {
  const std::string headless = headless_teacher().string();
  const std::string frozen = "weights = \"" + headless + "\"\n";
  const std::string prokt = "[[method]]\nname = \"prokt\"\n";
  models = "[teacher]\n" + frozen + "[assistant]\n" + frozen;
  const std::string no_head = "used without training";
  EXPECT_EQ(refusal(load(prokt)), "no error");
  EXPECT_THAT(refusal(load("[[method]]\nname = \"kd\"\n" + prokt)), HasSubstr(no_head));
  EXPECT_THAT(refusal(load(kTakd)), HasSubstr(no_head));
  // A trained assistant needs its teacher; one that is used as it is does not.
  EXPECT_THAT(refusal(load(kTakd, {"assistant.train.epochs=1"})), HasSubstr(no_head));
  models = "[teacher]\n" + frozen;
  expect_made_as_planned(load(prokt));
}

TEST_F(Sources, AFrozenTeacherIsTheSameForAllSeeds) {
  fs::copy(finished_teacher(), folder / "ready", fs::copy_options::recursive);
  fs::remove_all(folder / "out");
  models = "[teacher]\nper_seed = true\nweights = \"ready\"\n";
  const Plan found = expect_made_as_planned(load("[[method]]\nname = \"kd\"\n"));
  EXPECT_EQ(names(found, "teacher").size(), 1U);
  EXPECT_EQ(names(found, "teacher"),
            names(plan(load("[[method]]\nname = \"kd\"\n", {"train.seeds=[7]"})), "teacher"));
}

TEST_F(Sources, AFailedAssistantFailsItsStudents) {
  const ExperimentRuns result = make_experiment(
      load(kTakd, {"assistant.train.learning_rate=1e30", "assistant.train.clip=0"}), workspace());
  EXPECT_EQ(result.failed, 2);
  std::ifstream file(result.runs.front() / "run.json");
  EXPECT_THAT(nlohmann::json::parse(file)["reason"].get<std::string>(),
              ::testing::MatchesRegex("its assistant failed: .* not finite .*"));
}

TEST_F(Sources, TeachersAloneNeedNoStudent) {
  const Experiment experiment = load("[[method]]\nname = \"kd\"\n", {}, ExperimentPart::kTeachers);
  const ExperimentRuns made =
      make_experiment(experiment, workspace(), {}, ExperimentPart::kTeachers);
  EXPECT_EQ(made.runs.size(), 1U);
  EXPECT_EQ(made.done, 1);
  EXPECT_EQ(made.failed, 0);
}

TEST_F(Sources, OutputsThatAMethodDoesNotTakeAreRefused) {
  folder.write("mine.h5", "");
  for (const std::string value : {"store", "online", "mine.h5"}) {
    try {
      load("[[method]]\nname = \"finetune\"\nteacher_outputs = \"" + value + "\"\n");
      ADD_FAILURE() << value;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("takes no outputs of a teacher"));
    }
  }
}

}  // namespace
}  // namespace kdbench::plan_sources_test
