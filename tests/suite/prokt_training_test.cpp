// SPDX-License-Identifier: MIT
// ProKT through the trainer: the number of ranks changes neither model's losses, also where some
// rank has no row; the best student is restored while its teacher learns on.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>

#include "methods/registry.h"
#include "suite/training/trainer.h"
#include "tests/suite/same_updates.h"
#include "tests/support/tiny.h"

namespace kdbench::prokt_training_test {
namespace {

using testing::tiny_bert;
using testing::tiny_features;
using Values = std::map<std::string, OptionValue>;

// 25 rows in batches of 8: the last has one row.
constexpr int64_t kRows = 25, kBatch = 8, kEpochs = 3;
const std::vector<std::string> kLabels = {"0", "1"};

struct Trained {
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;
  std::vector<at::Tensor> after_epoch;  // the student's values
  TrainingResult result;
  at::Tensor values;
};

std::unique_ptr<Method> prokt(Values changed) {
  const MethodEntry& entry = find_method("prokt");
  for (const auto& spec : entry.options) changed.try_emplace(spec.name, spec.fallback);
  return entry.make(Options(std::move(changed)));
}

Trained train_prokt(const Values& options, const Control& control,
                    const std::string& checkpoint = "last") {
  const auto method = prokt(options);
  const auto teacher = tiny_bert(8, 4);
  ModelSpec spec;
  spec.config = tiny_bert(7)->config();
  ModelShapes shapes;
  shapes.student = spec.config;
  shapes.teacher = teacher->config();
  method->validate(shapes);
  spec.extra = method->extra_parameters(shapes);
  const auto student = make_model(spec);
  initialize_parameters(*student, 7);

  const auto data = make_dataset(tiny_features("train", kRows), kLabels);
  const auto dev = make_dataset(tiny_features("dev", 11), kLabels);
  TrainSettings settings;
  settings.batch_size = kBatch;
  settings.epochs = kEpochs;
  settings.learning_rate = 5e-3;
  settings.checkpoint = checkpoint;
  Trained trained;
  Observer observer;
  observer.step = [&](const StepRecord& record) { trained.steps.push_back(record); };
  observer.evaluation = [&](const EvaluationRecord& record) {
    trained.evaluations.push_back(record);
    if (record.model == kStudent)
      trained.after_epoch.push_back(student->parameters().values().clone());
  };
  const auto collectives = make_collectives(control, at::kCPU);
  const TaskEvaluator by_task(find_task("CoLA"), settings.best_metric);
  trained.result = train(*method, {{{kStudent, student.get()}, {kTeacher, teacher.get()}}},
                         {&by_task, data.get(), {{"dev", dev.get()}}}, settings, 3, control,
                         *collectives, observer);
  trained.values = student->parameters().values().clone();
  return trained;
}

void expect_same(const Trained& actual, const Trained& expected) {
  ASSERT_EQ(actual.steps.size(), 12u);
  for (size_t i = 0; i < actual.steps.size(); ++i) {
    ASSERT_EQ(actual.steps[i].updates.size(), 2u);
    for (size_t u = 0; u < 2; ++u) {
      const UpdateRecord& update = actual.steps[i].updates[u];
      testing::expect_same_update(update, expected.steps[i].updates[u],
                                  " of " + update.model + " in step " + std::to_string(i));
    }
  }
}

TEST(ProKtTraining, RanksDoNotChangeTheLosses) {
  const Control alone(MPI_COMM_SELF), all(MPI_COMM_WORLD);
  const Values dual = {{"dual", true}, {"lambda_lr", 0.5}, {"lambda_epsilon", 0.01}};
  const Values aligned = {{"hidden_alignment", true}, {"zero_classifier", false}};
  for (const auto& options : {Values{}, dual, aligned}) {
    expect_same(train_prokt(options, all), train_prokt(options, alone));
  }
}

// The multiplier grew in constraint mode: the losses are not those of a fixed one.
TEST(ProKtTraining, TheMultiplierMovesInConstraintMode) {
  const Control control(MPI_COMM_WORLD);
  const Values fixed = {{"dual", true}, {"lambda_lr", 0.0}, {"zero_classifier", false}};
  Values moving = fixed;
  moving["lambda_lr"] = 50.0;
  const double with = train_prokt(moving, control).steps.back().updates.front().loss;
  const double without = train_prokt(fixed, control).steps.back().updates.front().loss;
  EXPECT_GT(std::abs(with - without), 1e-3);
}

TEST(ProKtTraining, TheBestStudentIsRestored) {
  const Control control(MPI_COMM_WORLD);
  const Trained trained = train_prokt({}, control, "best");
  ASSERT_EQ(trained.after_epoch.size(), 3u);
  const int64_t best = trained.result.student.best_epoch;
  ASSERT_GE(best, 0);
  EXPECT_TRUE(at::equal(trained.values, trained.after_epoch[static_cast<size_t>(best)]));
  double score = -INFINITY;
  int64_t first = -1;
  for (size_t i = 0, epoch = 0; i < trained.evaluations.size(); ++i) {
    const EvaluationRecord& record = trained.evaluations[i];
    if (record.model != kStudent) continue;
    const double found = record.metrics.at("dev").at("matthews");
    if (found > score) first = static_cast<int64_t>(epoch);
    score = std::max(score, found);
    ++epoch;
  }
  EXPECT_EQ(best, first);
}

}  // namespace
}  // namespace kdbench::prokt_training_test
