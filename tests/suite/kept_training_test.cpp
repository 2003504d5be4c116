// SPDX-License-Identifier: MIT
// A training that is stopped after a step and gone on with by another one has the same bits as one
// that was never stopped: in every record, every score and every value.
#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "io/base/error.h"
#include "methods/registry.h"
#include "suite/results/run_events.h"
#include "suite/training/checkpoints.h"
#include "suite/training/trainer.h"
#include "tests/support/teacher_states.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny.h"

namespace kdbench::kept_training_test {
namespace {

using nlohmann::json;
using testing::TempFolder;
using testing::tiny_bert;
using testing::tiny_features;
using Values = std::map<std::string, OptionValue>;

const std::vector<std::string> kLabels = {"0", "1"};
constexpr int64_t kRows = 29;
constexpr const char* kIdentity = "this training";

// One of the trainings that are compared.
struct Case {
  std::string method = "kd";
  Values options;
  TrainSettings settings;
};

TrainSettings settings_for_test() {
  TrainSettings settings;
  settings.batch_size = 8;
  settings.epochs = 3;
  settings.learning_rate = 5e-3;
  settings.checkpoint = "best";
  settings.eval_steps = 3;
  return settings;
}

// A folder that all ranks know.
class SharedFolder {
 public:
  explicit SharedFolder(const Control& control)
      : control_(control), path_(control.broadcast(own_.path().string())) {}
  ~SharedFolder() { control_.barrier(); }
  const std::filesystem::path& path() const { return path_; }

 private:
  const Control& control_;
  TempFolder own_;
  std::filesystem::path path_;
};

// All that one job does and finds; a job that goes on appends to the events.
struct Job {
  std::vector<std::string> events;
  bool stopped = false;
  TrainingResult result;
  std::map<std::string, at::Tensor> values;  // by role
};

std::string text_of(json event) {
  event.erase("step_s");
  return event.dump();
}

// Begins or goes on, and stops after so many events (0: not), as the last rank asks for.
Job run_job(const Case& tested, const Control& control, const Checkpoints& checkpoints,
            int64_t stop_after) {
  const MethodEntry& entry = find_method(tested.method);
  Values options = tested.options;
  for (const auto& spec : entry.options) options.try_emplace(spec.name, spec.fallback);
  const auto method = entry.make(Options(std::move(options)));
  const auto teacher = tiny_bert(8, 4);
  ModelShapes shapes;
  ModelSpec spec;
  spec.config = shapes.student = tiny_bert(7)->config();
  shapes.teacher = teacher->config();
  shapes.max_seq_length = 14;
  spec.extra = method->extra_parameters(shapes);
  const auto student = make_model(spec);
  initialize_parameters(*student, 7);
  const TeacherNeeds needs = method->teacher_needs(shapes);

  const auto features = tiny_features("train", kRows);
  const auto data = testing::with_made_up_states(
      make_dataset(features, kLabels, testing::tiny_teacher(*features)),
      static_cast<int64_t>(needs.hidden_layers.size()), shapes.teacher->hidden);
  const auto dev = make_dataset(tiny_features("dev", 11), kLabels);
  Inputs inputs{{{kStudent, student.get()}}};
  if (needs.trains_teacher) inputs.models[kTeacher] = teacher.get();
  const int64_t width = shapes.max_seq_length * shapes.teacher->hidden;
  const int64_t centroids = needs.feature_memory.centroids;
  if (centroids > 0) {
    inputs.feature_memory = FeatureMemory{
        (at::arange(centroids * width, at::kFloat) * 0.37F).sin().view({centroids, width}), {}};
  }

  Job job;
  const auto kept = checkpoints.read([](const std::string& warning) { ADD_FAILURE() << warning; });
  if (kept) {
    const json events = json::parse(control.broadcast(kept->events));
    job.events = events.get<std::vector<std::string>>();
  }
  Observer observer;
  observer.step = [&](const StepRecord& record) {
    job.events.push_back(text_of(step_event(record)));
  };
  observer.evaluation = [&](const EvaluationRecord& record) {
    job.events.push_back(text_of(evaluation_event(record)));
  };
  Keeping keeping;
  if (kept) keeping.begin = std::make_shared<const TrainingState>(kept->state);
  keeping.stop = [&] {
    const bool last = control.rank() + 1 == control.size();
    return last && stop_after > 0 && static_cast<int64_t>(job.events.size()) >= stop_after;
  };
  keeping.keep = [&](const TrainingState& state, bool stops) {
    EXPECT_TRUE(stops);
    checkpoints.write({state, json::object(), json(job.events).dump()});
  };
  const auto collectives = make_collectives(control, at::kCPU);
  const TaskEvaluator by_task(find_task("CoLA"), tested.settings.best_metric);
  try {
    job.result = train(*method, inputs, {&by_task, data.get(), {{"dev", dev.get()}}},
                       tested.settings, 3, control, *collectives, observer, keeping);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kStopped);
    EXPECT_TRUE(error.on_every_rank);
    job.stopped = true;
  }
  for (const auto& [role, model] : inputs.models)
    job.values[role] = model->parameters().values().clone();
  return job;
}

json text_of(const TrainingResult& result) {
  TrainingState state;
  state.result = result;
  state.result.times = {};
  return numbers_of(state).at("result");
}

void expect_same_bits(const Job& actual, const Job& expected) {
  EXPECT_EQ(actual.events, expected.events);
  EXPECT_EQ(text_of(actual.result), text_of(expected.result));
  ASSERT_EQ(actual.values.size(), expected.values.size());
  for (const auto& [role, values] : expected.values) {
    const at::Tensor a = actual.values.at(role).view(at::kInt), b = values.view(at::kInt);
    EXPECT_TRUE(at::equal(a, b)) << role;
  }
}

std::vector<Case> cases() {
  const TrainSettings settings = settings_for_test();
  std::vector<Case> all;
  for (const char* optimizer : {"adamw", "bert_adam", "adadelta"}) {
    all.push_back({"kd", {}, settings});
    all.back().settings.optimizer = optimizer;
    if (optimizer == std::string("adadelta")) all.back().settings.learning_rate = 1.0;
  }
  all.push_back({"finetune", {}, settings});
  all.back().settings.precision = "fp16";
  all.push_back({"annealing-kd",
                 {{"phase1_epochs", int64_t{2}},
                  {"phase2_epochs", int64_t{1}},
                  {"max_temperature", int64_t{2}}},
                 settings});
  all.push_back(
      {"prokt", {{"dual", true}, {"lambda_lr", 0.5}, {"lambda_epsilon", 0.01}}, settings});
  all.push_back({"prokt", {{"hidden_alignment", true}, {"zero_classifier", false}}, settings});
  all.push_back({"fsd", {{"gamma_global", 0.5}, {"centroids", int64_t{6}}}, settings});
  return all;
}

TEST(KeptTraining, GoesOnWithTheSameBitsFromAnyStep) {
  const Control control(MPI_COMM_WORLD);
  for (const Case& tested : cases()) {
    SCOPED_TRACE(tested.method + " " + tested.settings.optimizer);
    const SharedFolder folder(control);
    const Checkpoints unused(folder.path() / "none", kIdentity, control);
    const Job expected = run_job(tested, control, unused, 0);
    ASSERT_FALSE(expected.stopped);
    for (int64_t stop = 1; stop < static_cast<int64_t>(expected.events.size()); ++stop) {
      SCOPED_TRACE("stopped after event " + std::to_string(stop));
      const Checkpoints checkpoints(folder.path() / std::to_string(stop), kIdentity, control);
      const Job first = run_job(tested, control, checkpoints, stop);
      if (!first.stopped) continue;  // nothing but the end of the last evaluation was left
      expect_same_bits(run_job(tested, control, checkpoints, 0), expected);
    }
  }
}

TEST(KeptTraining, GoesOnAgainAndAgain) {
  const Control control(MPI_COMM_WORLD);
  const Case tested{"kd", {}, settings_for_test()};
  const SharedFolder folder(control);
  const Checkpoints unused(folder.path() / "none", kIdentity, control);
  const Checkpoints checkpoints(folder.path() / "kept", kIdentity, control);
  const Job expected = run_job(tested, control, unused, 0);
  Job job;
  int64_t jobs = 0;
  do {
    job = run_job(tested, control, checkpoints, ++jobs * 2);
    ASSERT_LT(jobs, 20);
  } while (job.stopped);
  EXPECT_GT(jobs, 5);
  expect_same_bits(job, expected);
}

TEST(KeptTraining, GoesOnOnOtherRanksUpToRounding) {
  const Control all(MPI_COMM_WORLD), alone(MPI_COMM_SELF);
  for (const char* optimizer : {"adamw", "bert_adam", "adadelta"}) {
    Case tested{"kd", {}, settings_for_test()};
    tested.settings.optimizer = optimizer;
    const SharedFolder folder(all);
    const Checkpoints by_all(folder.path() / "all", kIdentity, all);
    run_job(tested, all, by_all, 5);
    // Each rank by itself, from what all have written.
    const Checkpoints by_one(folder.path() / "all", kIdentity, alone);
    const Job job = run_job(tested, alone, by_one, 0);
    const Job expected =
        run_job(tested, alone, Checkpoints(folder.path() / "none", kIdentity, alone), 0);
    // Not the weights: where a gradient is 0 but for rounding (biases of keys), AdamW moves by it.
    ASSERT_EQ(job.events.size(), expected.events.size());
    for (size_t i = 0; i < job.events.size(); ++i) {
      const double loss = json::parse(job.events[i]).value("loss", 0.0);
      EXPECT_NEAR(loss, json::parse(expected.events[i]).value("loss", 0.0), 1e-3)
          << optimizer << " event " << i;
    }
  }
}

// ---- the files

TrainingState state_of(int64_t steps) {
  TrainingState state;
  state.phase = 1;
  state.step = steps;
  state.models[kStudent] = {at::full({5}, static_cast<double>(steps), at::kFloat)};
  state.learners[kStudent] = {{at::arange(5, at::kFloat), at::ones({5})}, steps, {1024.0, 7}};
  state.best[kStudent] = {-INFINITY, {}};
  state.method["multiplier"] = 0.1;
  state.result.steps = steps;
  state.result.student.last["dev"]["accuracy"] = std::numeric_limits<double>::quiet_NaN();
  state.result.times.train = 1.0 / 3.0;
  return state;
}

KeptTraining kept_of(int64_t steps) {
  return {state_of(steps), {{"init_s", 0.1 + 0.2}}, "line " + std::to_string(steps) + "\n"};
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

class CheckpointFiles : public ::testing::Test {
 protected:
  // Steps of what is read (0: nothing); what was said meanwhile.
  int64_t read_steps(const std::string& identity = kIdentity) {
    said.clear();
    const auto kept = Checkpoints(folder(), identity, control).read([&](const std::string& text) {
      said.push_back(text);
    });
    return kept ? kept->state.result.steps : 0;
  }
  void write(int64_t steps) { checkpoints.write(kept_of(steps)); }
  std::filesystem::path folder() const { return shared.path() / "kept"; }
  std::filesystem::path file(const std::string& steps) const {
    return folder() / (std::string(12 - steps.size(), '0') + steps + ".safetensors");
  }

  Control control{MPI_COMM_WORLD};
  SharedFolder shared{control};
  Checkpoints checkpoints{folder(), kIdentity, control};
  std::vector<std::string> said;
};

TEST_F(CheckpointFiles, HoldEveryBitOfTheState) {
  EXPECT_EQ(read_steps(), 0);
  EXPECT_TRUE(said.empty());
  write(20);
  const auto kept = checkpoints.read([](const std::string&) { FAIL(); });
  ASSERT_TRUE(kept);
  const TrainingState &state = kept->state, expected = state_of(20);
  EXPECT_EQ(numbers_of(state).at("learners"), numbers_of(expected).at("learners"));
  EXPECT_TRUE(std::isinf(state.best.at(kStudent).score));
  EXPECT_TRUE(state.best.at(kStudent).state.empty());
  EXPECT_TRUE(std::isnan(state.result.student.last.at("dev").at("accuracy")));
  EXPECT_EQ(state.result.times.train, 1.0 / 3.0);
  EXPECT_EQ(state.method.at("multiplier"), 0.1);
  EXPECT_TRUE(at::equal(state.models.at(kStudent).at(0), expected.models.at(kStudent).at(0)));
  EXPECT_TRUE(at::equal(state.learners.at(kStudent).moments.at(0), at::arange(5, at::kFloat)));
  EXPECT_EQ(kept->run.at("init_s"), 0.1 + 0.2);
  EXPECT_EQ(kept->events, "line 20\n");
}

TEST_F(CheckpointFiles, TheLastTwoStay) {
  for (const int64_t steps : {8, 9, 10, 11}) write(steps);
  EXPECT_EQ(names_in(folder()),
            (std::vector<std::string>{"000000000010.safetensors", "000000000011.safetensors"}));
  EXPECT_EQ(read_steps(), 11);
  control.barrier();
  // One that went on from an earlier one leaves no later ones, and nothing half-written.
  if (control.root()) std::ofstream(folder() / "000000000012.safetensors.partial") << "half";
  write(9);
  EXPECT_EQ(names_in(folder()), (std::vector<std::string>{"000000000009.safetensors"}));
}

TEST_F(CheckpointFiles, ThoseOfOtherSettingsAreNotTaken) {
  write(10);
  EXPECT_EQ(read_steps("another training"), 0);
  if (control.root()) {
    EXPECT_EQ(said.size(), 1u);
  }
  EXPECT_EQ(read_steps(), 10);
}

TEST_F(CheckpointFiles, ADamagedOneIsFoundAndTheOneBeforeItTaken) {
  write(10);
  write(20);
  const std::string whole = testing::read_text(file("20"));
  const auto expect_damaged = [&](const std::string& content, int64_t steps) {
    control.barrier();
    if (control.root()) std::ofstream(file("20"), std::ios::binary) << content;
    control.barrier();
    EXPECT_EQ(read_steps(), steps);
    if (control.root()) {
      EXPECT_EQ(said.size(), 1u);
    }
  };
  for (const size_t length : {size_t{0}, size_t{5}, size_t{200}, whole.size() - 1})
    expect_damaged(whole.substr(0, length), 10);
  // Any bit: every 7th byte takes its turn.
  for (size_t at = 0; at < whole.size(); at += 7) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    control.barrier();
    if (control.root()) std::ofstream(file("20"), std::ios::binary) << flipped;
    control.barrier();
    const int64_t steps = read_steps();
    if (steps == 10) continue;
    // Spaces that pad the header carry nothing.
    EXPECT_EQ(whole[at], ' ') << "byte " << at;
  }
  control.barrier();
  for (const char* steps : {"10", "20"}) {
    if (control.root()) std::ofstream(file(steps), std::ios::binary) << "{}";
  }
  control.barrier();
  EXPECT_EQ(read_steps(), 0);
  if (control.root()) {
    EXPECT_EQ(said.size(), 2u);
  }
}

}  // namespace
}  // namespace kdbench::kept_training_test
