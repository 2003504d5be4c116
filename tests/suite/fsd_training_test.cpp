// SPDX-License-Identifier: MIT
// FSD through the trainer, with made-up teacher states: the number of ranks changes nothing, also
// where some rank has no row, and micro-batches neither where they are allowed.
#include <gtest/gtest.h>
#include <mpi.h>

#include <cmath>

#include "methods/registry.h"
#include "suite/training/trainer.h"
#include "tests/suite/same_updates.h"
#include "tests/support/teacher_states.h"
#include "tests/support/tiny.h"

namespace kdbench::fsd_training_test {
namespace {

using testing::expect_near;
using testing::tiny_bert;
using testing::tiny_features;
using Values = std::map<std::string, OptionValue>;
using Layers = std::vector<int64_t>;

// 25 rows in batches of 8: the last has one row.
constexpr int64_t kRows = 25, kBatch = 8, kEpochs = 3;
constexpr int64_t kTeacherHidden = 24, kCentroids = 5;

const std::vector<std::string> kLabels = {"0", "1"};

ModelShapes shapes_of(const ModelConfig& student) {
  ModelShapes shapes;
  shapes.student = student;
  shapes.teacher = ModelConfig{};
  shapes.teacher->layers = 5;
  shapes.teacher->hidden = kTeacherHidden;
  shapes.max_seq_length = 14;
  return shapes;
}

std::unique_ptr<Method> fsd(Values changed) {
  const MethodEntry& entry = find_method("fsd");
  for (const auto& spec : entry.options) changed.try_emplace(spec.name, spec.fallback);
  changed["centroids"] = kCentroids;
  return entry.make(Options(std::move(changed)));
}

at::Tensor made_up_memory(const ModelShapes& shapes) {
  const int64_t width = shapes.max_seq_length * shapes.teacher->hidden;
  return (at::arange(kCentroids * width, at::kFloat) * 0.37F).sin().view({kCentroids, width});
}

struct Trained {
  std::vector<UpdateRecord> steps;
  TrainingResult result;
  at::Tensor values;
};

Trained train_fsd(const Values& options, const Control& control, int64_t micro_batch = 0) {
  const auto method = fsd(options);
  ModelSpec spec;
  spec.config = tiny_bert(7)->config();
  const ModelShapes shapes = shapes_of(spec.config);
  method->validate(shapes);
  spec.extra = method->extra_parameters(shapes);
  const auto student = make_model(spec);
  initialize_parameters(*student, 7);
  const TeacherNeeds needs = method->teacher_needs(shapes);

  const auto features = tiny_features("train", kRows);
  const auto data = testing::with_made_up_states(
      make_dataset(features, kLabels, testing::tiny_teacher(*features)),
      static_cast<int64_t>(needs.hidden_layers.size()), kTeacherHidden);
  TrainSettings settings;
  settings.batch_size = kBatch;
  settings.epochs = kEpochs;
  settings.learning_rate = 5e-3;
  settings.shuffle = true;
  settings.micro_batch = micro_batch;
  Trained trained;
  Observer observer;
  observer.step = [&](const StepRecord& record) {
    trained.steps.push_back(record.updates.front());
  };
  const auto collectives = make_collectives(control, at::kCPU);
  const TaskEvaluator by_task(find_task("CoLA"), settings.best_metric);
  trained.result =
      train(*method, {{{kStudent, student.get()}}, FeatureMemory{made_up_memory(shapes), {}}},
            {&by_task, data.get(), {}}, settings, 3, control, *collectives, observer);
  trained.values = student->parameters().values().clone();
  return trained;
}

void expect_same(const Trained& actual, const Trained& expected) {
  ASSERT_EQ(actual.steps.size(), 12u);
  for (size_t i = 0; i < actual.steps.size(); ++i) {
    testing::expect_same_update(actual.steps[i], expected.steps[i],
                                " of step " + std::to_string(i));
  }
  EXPECT_EQ(actual.result.counts, expected.result.counts);
}

const Values kAll = {{"gamma_global", 0.5}, {"gamma_memory", 0.01}};

TEST(FsdTraining, RanksDoNotChangeTheLosses) {
  const Control alone(MPI_COMM_SELF), all(MPI_COMM_WORLD);
  Values log_of_mean = {{"variant", std::string("IL")},
                        {"intra_reduction", std::string("log_of_mean")}};
  Values layerwise = kAll;
  layerwise["teacher_layers"] = Layers{1, 5};
  layerwise["student_layers"] = Layers{2, 1};
  for (const auto& options : {kAll, log_of_mean, layerwise}) {
    expect_same(train_fsd(options, all), train_fsd(options, alone));
  }
}

TEST(FsdTraining, NamesItsTermsAndCountsBatchesOfOneRow) {
  const Control control(MPI_COMM_WORLD);
  const Trained trained = train_fsd(kAll, control);
  const UpdateRecord& last = trained.steps.back();
  std::map<std::string, double> terms(last.terms.begin(), last.terms.end());
  for (const char* name :
       {"ce", "kd", "intra", "local", "global", "distance", "cosine", "memory"}) {
    EXPECT_EQ(terms.count(name), 1u) << name;
  }
  EXPECT_EQ(terms.size(), 8u);
  EXPECT_EQ(terms["local"], 0.0);
  EXPECT_GT(terms["intra"], 0.0);
  expect_near(terms["global"], 0.01 * terms["distance"] + 0.99 * terms["cosine"] + terms["memory"],
              1e-5, "global");
  expect_near(last.loss,
              0.5 * terms["ce"] + 0.5 * terms["kd"] + terms["intra"] + 0.5 * terms["global"], 1e-5,
              "loss");
  EXPECT_EQ(trained.result.counts.at("batches_without_local_structure"), kEpochs);
}

TEST(FsdTraining, MicroBatchesDoNotChangeTheLossesOfIAndG) {
  const Control control(MPI_COMM_WORLD);
  for (const char* variant : {"I", "G"}) {
    const Values options = {{"variant", std::string(variant)}, {"gamma_memory", 0.01}};
    expect_same(train_fsd(options, control, 3), train_fsd(options, control));
  }
}

}  // namespace
}  // namespace kdbench::fsd_training_test
