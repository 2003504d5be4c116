// SPDX-License-Identifier: MIT
// The trainer on made-up data: the number of ranks changes nothing, micro-batches neither, and a
// method may train two models in turn.
#include "suite/training/trainer.h"

#include <gtest/gtest.h>
#include <mpi.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "io/base/error.h"
#include "methods/finetune.h"
#include "methods/losses.h"
#include "methods/registry.h"
#include "tests/support/tiny.h"

namespace kdbench::trainer_test {
namespace {

using testing::tiny_bert;
using testing::tiny_features;
using testing::tiny_teacher;

const std::vector<std::string> kLabels = {"0", "1"};

// The first `ranks` ranks of the world (others get MPI_COMM_NULL).
class Group {
 public:
  explicit Group(int ranks) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_split(MPI_COMM_WORLD, rank < ranks ? 0 : MPI_UNDEFINED, rank, &comm);
  }
  ~Group() {
    if (comm != MPI_COMM_NULL) MPI_Comm_free(&comm);
  }
  MPI_Comm comm = MPI_COMM_NULL;
};

int world_size() {
  int size = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

TrainSettings settings_for_test() {
  TrainSettings settings;
  settings.batch_size = 8;
  settings.epochs = 3;
  settings.learning_rate = 5e-3;
  settings.warmup = 0.1;
  settings.shuffle = true;
  return settings;
}

std::unique_ptr<Method> kd() {
  return find_method("kd").make(Options({{"alpha", 0.5}, {"temperature", 2.0}}));
}

struct Trained {
  std::vector<double> losses, norms;
  std::vector<double> accuracies;  // of all evaluations
  TrainingResult result;
  at::Tensor values;
};

struct Tiny {
  int64_t rows = 29;
  uint64_t seed = 3;
  double dropout = 0.1;
};

Trained train_tiny(Method& method, const Control& control, const TrainSettings& settings,
                   const Tiny& tiny = {}) {
  const auto features = tiny_features("train", tiny.rows);
  const auto data = make_dataset(features, kLabels, tiny_teacher(*features));
  const auto dev = make_dataset(tiny_features("dev", 5), kLabels);
  const auto student = tiny_bert(7, 2, tiny.dropout);
  const TaskEvaluator evaluator(find_task("CoLA"), settings.best_metric);
  TrainingData training{&evaluator, data.get(), {{"dev", dev.get()}}};
  Trained trained;
  Observer observer;
  observer.step = [&](const StepRecord& record) {
    if (record.updates.empty()) return;
    trained.losses.push_back(record.updates.front().loss);
    trained.norms.push_back(record.updates.front().grad_norm);
  };
  observer.evaluation = [&](const EvaluationRecord& record) {
    trained.accuracies.push_back(record.metrics.at("dev").at("accuracy"));
  };
  const auto collectives = make_collectives(control, at::kCPU);
  const Models models{{kStudent, student.get()}};
  trained.result =
      train(method, {models}, training, settings, tiny.seed, control, *collectives, observer);
  trained.values = student->parameters().values().clone();
  return trained;
}

void expect_same(const Trained& a, const Trained& b) {
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (size_t i = 0; i < a.losses.size(); ++i) {
    EXPECT_NEAR(a.losses[i], b.losses[i], 1e-4 * std::abs(a.losses[i]) + 1e-6) << "step " << i;
    EXPECT_NEAR(a.norms[i], b.norms[i], 1e-3 * a.norms[i] + 1e-5) << "step " << i;
  }
}

TEST(Trainer, RanksDoNotChangeTheLossesWithShufflingAndDropout) {
  Control alone(MPI_COMM_SELF);
  const auto method = kd();
  const Trained reference = train_tiny(*method, alone, settings_for_test());
  ASSERT_EQ(reference.losses.size(), 12u);  // ceil(29 / 8) steps x 3 epochs
  for (int ranks = 2; ranks <= world_size(); ++ranks) {
    Group group(ranks);
    if (group.comm == MPI_COMM_NULL) continue;
    Control control(group.comm);
    const Trained trained = train_tiny(*method, control, settings_for_test());
    SCOPED_TRACE(std::to_string(ranks) + " ranks");
    expect_same(reference, trained);
  }
}

TEST(Trainer, LearnsTheTrainingRows) {
  Control control(MPI_COMM_WORLD);
  const auto method = find_method("finetune").make(Options{});
  TrainSettings settings = settings_for_test();
  settings.epochs = 30;
  const Trained trained = train_tiny(*method, control, settings);
  const auto mean = [](auto begin, auto end) {
    return std::accumulate(begin, end, 0.0) / (end - begin);
  };
  EXPECT_LT(mean(trained.losses.end() - 4, trained.losses.end()),
            0.5 * mean(trained.losses.begin(), trained.losses.begin() + 4));
}

TEST(Trainer, MicroBatchesDoNotChangeTheLosses) {
  Control control(MPI_COMM_WORLD);
  const auto method = kd();
  TrainSettings settings = settings_for_test();
  const Trained whole = train_tiny(*method, control, settings);
  settings.micro_batch = 3;
  expect_same(whole, train_tiny(*method, control, settings));
}

TEST(Trainer, FewerRowsThanRanksWork) {
  Control control(MPI_COMM_WORLD);
  Control alone(MPI_COMM_SELF);
  const auto method = kd();
  expect_same(train_tiny(*method, alone, settings_for_test(), {.rows = 1}),
              train_tiny(*method, control, settings_for_test(), {.rows = 1}));
}

// The seed chooses the order of the rows and what dropout drops; each is seen alone.
TEST(Trainer, SeedsGiveOtherOrdersAndOtherDropout) {
  Control alone(MPI_COMM_SELF);
  const auto method = kd();
  for (const bool shuffle : {false, true}) {
    TrainSettings settings = settings_for_test();
    settings.shuffle = shuffle;
    const auto losses = [&](uint64_t seed) {
      const Tiny tiny{.seed = seed, .dropout = shuffle ? 0.0 : 0.1};
      return train_tiny(*method, alone, settings, tiny).losses;
    };
    EXPECT_EQ(losses(3), losses(3));
    EXPECT_NE(losses(3).front(), losses(4).front());
  }
}

TEST(Trainer, ShufflingChangesTheOrder) {
  Control alone(MPI_COMM_SELF);
  const auto method = kd();
  TrainSettings plain = settings_for_test();
  plain.shuffle = false;
  const Trained shuffled = train_tiny(*method, alone, settings_for_test());
  const Trained in_order = train_tiny(*method, alone, plain);
  EXPECT_NE(shuffled.losses.front(), in_order.losses.front());
}

// At a rate that does not depend on the number of steps, the best weights are those of a training
// that ends after the best epoch.
TEST(Trainer, BestCheckpointHoldsTheBestWeights) {
  Control control(MPI_COMM_WORLD);
  const auto method = find_method("finetune").make(Options{});
  TrainSettings settings = settings_for_test();
  settings.schedule = "constant";
  settings.epochs = 8;
  settings.checkpoint = "best";
  settings.best_metric = "accuracy";
  const Trained best = train_tiny(*method, control, settings);
  const Scores& scores = best.result.student;
  const auto& all = best.accuracies;
  ASSERT_LT(scores.best_epoch, 7) << "the best weights must not be the last ones";
  EXPECT_EQ(scores.best_epoch, std::max_element(all.begin(), all.end()) - all.begin());
  EXPECT_EQ(scores.best.at("dev").at("accuracy"), *std::max_element(all.begin(), all.end()));

  settings.epochs = scores.best_epoch + 1;
  settings.checkpoint = "last";
  EXPECT_TRUE(at::equal(best.values, train_tiny(*method, control, settings).values));
}

// Learns the labels, then from its best weights the opposite.
class LearnThenUnlearn : public Method {
 public:
  TeacherNeeds teacher_needs(const ModelShapes&) const override { return {}; }
  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase learn, unlearn;
    learn.updates = {hard_label_update(student)};
    unlearn.updates = {{kStudent, [&student](const StepContext& context, const Batch& batch) {
                          Loss loss = hard_label_update(student).loss(context, batch);
                          loss.total = -loss.total;
                          return loss;
                        }}};
    unlearn.start = StartWeights::kBestOfPreviousPhase;
    return {learn, unlearn};
  }
};

TEST(Trainer, TheBestThatAPhaseBeginsWithStaysUntilItIsBeaten) {
  Control control(MPI_COMM_WORLD);
  TrainSettings settings = settings_for_test();
  settings.checkpoint = "best";
  settings.best_metric = "accuracy";
  LearnThenUnlearn method;
  const Trained both = train_tiny(method, control, settings);
  ASSERT_EQ(both.accuracies.size(), 6u);
  const auto& all = both.accuracies;
  const auto best = std::max_element(all.begin(), all.end());
  ASSERT_GT(*best, *std::max_element(all.begin() + 3, all.end()));
  EXPECT_EQ(both.result.student.best_epoch, best - all.begin());
  EXPECT_EQ(both.result.student.best.at("dev").at("accuracy"), *best);
  EXPECT_EQ(both.result.student.last.at("dev").at("accuracy"), all.back());
  // The weights are those of the first phase alone.
  const auto learn = find_method("finetune").make(Options{});
  EXPECT_TRUE(at::equal(both.values, train_tiny(*learn, control, settings).values));
}

TEST(Trainer, ALossThatIsNotFiniteFailsTheRunOnEveryRank) {
  Control control(MPI_COMM_WORLD);
  const auto method = kd();
  TrainSettings settings = settings_for_test();
  settings.learning_rate = 1e38;
  settings.warmup = 0.0;
  settings.epochs = 20;
  try {
    train_tiny(*method, control, settings);
    FAIL() << "a diverged run must fail";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kRunFailed);
    EXPECT_TRUE(error.on_every_rank);
  }
}

// Two models that learn in turn on each batch: the teacher takes a step towards the labels; the
// student then learns from the teacher's output *after* that step (a forward pass again, without
// gradients).
class MutualToy : public Method {
 public:
  TeacherNeeds teacher_needs(const ModelShapes&) const override {
    TeacherNeeds needs;
    needs.teacher = needs.trains_teacher = true;
    return needs;
  }

  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Model& teacher = *inputs.models.at(kTeacher);
    Phase phase;
    phase.name = "mutual";
    phase.overrides[kTeacher].learning_rate = 1e-2;
    phase.updates.push_back({kTeacher, [&](const StepContext& context, const Batch& batch) {
                               before = student.parameters().values().clone();
                               teacher_before =
                                   teacher.forward(batch, context.eval()).logits.detach();
                               const at::Tensor loss =
                                   task_loss(teacher.forward(batch, context.train(kTeacher)).logits,
                                             batch.labels, batch.global_rows);
                               return Loss{loss, {{"ce", loss}}};
                             }});
    phase.updates.push_back(
        {kStudent, [&](const StepContext& context, const Batch& batch) {
           student_untouched &= at::equal(before, student.parameters().values());
           at::Tensor target;
           {
             at::NoGradGuard no_gradients;
             target = teacher.forward(batch, context.eval()).logits;
           }
           if (batch.rows() > 0) teacher_moved |= !at::equal(target, teacher_before);
           const at::Tensor loss = soft_target_divergence(
               student.forward(batch, context.train()).logits, target, 1.0, batch.global_rows);
           return Loss{loss, {{"kl", loss}}};
         }});
    return {phase};
  }

  at::Tensor before, teacher_before;
  bool student_untouched = true, teacher_moved = false;
};

TEST(Trainer, TwoModelsLearnInTurnOnABatch) {
  Control control(MPI_COMM_WORLD);
  const auto features = tiny_features("train", 29);
  const auto data = make_dataset(features, kLabels);
  const auto dev = make_dataset(tiny_features("dev", 5), kLabels);
  const auto student = tiny_bert(7), teacher = tiny_bert(8, 3);
  std::vector<StepRecord> steps;
  std::vector<EvaluationRecord> evaluations;
  Observer observer;
  observer.step = [&](const StepRecord& record) { steps.push_back(record); };
  observer.evaluation = [&](const EvaluationRecord& record) { evaluations.push_back(record); };
  const auto collectives = make_collectives(control, at::kCPU);
  MutualToy method;
  const TrainSettings settings = settings_for_test();
  const TaskEvaluator by_task(find_task("CoLA"), settings.best_metric);
  const TrainingResult result = train(
      method, {{{kStudent, student.get()}, {kTeacher, teacher.get()}}},
      {&by_task, data.get(), {{"dev", dev.get()}}}, settings, 3, control, *collectives, observer);
  ASSERT_EQ(steps.size(), 12u);
  ASSERT_EQ(steps[1].updates.size(), 2u);
  EXPECT_EQ(steps[1].updates[0].model, kTeacher);
  EXPECT_EQ(steps[1].updates[1].model, kStudent);
  EXPECT_DOUBLE_EQ(steps[1].updates[0].learning_rate, 1e-2);
  EXPECT_DOUBLE_EQ(steps[1].updates[1].learning_rate, 5e-3);
  EXPECT_TRUE(method.student_untouched);
  EXPECT_TRUE(method.teacher_moved);
  EXPECT_EQ(evaluations.size(), 6u);  // both models after each epoch
  EXPECT_EQ(result.others.count(kTeacher), 1u);
}

// Looks at what the ranks exchange, and learns nothing.
class ExchangeToy : public Method {
 public:
  TeacherNeeds teacher_needs(const ModelShapes&) const override { return {}; }
  std::vector<Phase> phases(const Inputs& inputs) override {
    Model& student = *inputs.models.at(kStudent);
    Phase phase;
    phase.name = "exchange";
    phase.epochs = 1;
    phase.updates.push_back(
        {kStudent, [this, &student](const StepContext& context, const Batch& batch) {
           look(context, batch);
           return Loss{0.0 * student.forward(batch, context.train()).logits.sum(), {}};
         }});
    return {phase};
  }
  int64_t seen = 0;
  bool mine_found = true, all_summed = true;

 private:
  void look(const StepContext& context, const Batch& batch) {
    int64_t first = -1;
    const at::Tensor rows = batch.row_ids.to(at::kFloat).unsqueeze(1);
    const at::Tensor all = context.global_batch->gather(rows, &first);
    seen += all.size(0);
    mine_found &= at::equal(all.narrow(0, first, batch.rows()), rows);
    const at::Tensor count = at::full({}, batch.rows(), at::kDouble);
    context.global_batch->sum(count);
    all_summed &= count.item<double>() == static_cast<double>(batch.global_rows);
  }
};

TEST(Trainer, RanksExchangeRowsAndSumsOfTheGlobalBatch) {
  Control control(MPI_COMM_WORLD);
  ExchangeToy method;
  train_tiny(method, control, settings_for_test());
  EXPECT_EQ(method.seen, 29);
  EXPECT_TRUE(method.mine_found);
  EXPECT_TRUE(method.all_summed);
}

}  // namespace
}  // namespace kdbench::trainer_test
