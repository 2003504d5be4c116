// SPDX-License-Identifier: MIT
#include "suite/training/trainer.h"

#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>

#include "io/base/error.h"
#include "suite/machine/device.h"
#include "suite/machine/kept_heap.h"
#include "suite/machine/stopwatch.h"
#include "suite/training/finite.h"
#include "suite/training/learners.h"
#include "suite/training/sharding.h"
#include "suite/training/step_work.h"
#include "suite/training/training_step.h"

namespace kdbench {
namespace {

using Clock = std::chrono::steady_clock;

class CollectiveBatch : public GlobalBatch {
 public:
  explicit CollectiveBatch(Collectives& collectives) : collectives_(collectives) {}
  int64_t rank() const override { return collectives_.rank(); }
  int64_t size() const override { return collectives_.size(); }
  at::Tensor gather(const at::Tensor& rows, int64_t* first) override {
    return collectives_.gather_rows(rows, first);
  }
  void sum(const at::Tensor& tensor) override { collectives_.allreduce_sum(tensor); }

 private:
  Collectives& collectives_;
};

// A model's best so far. The first of equal scores stays.
struct Best {
  double score = -INFINITY;
  at::Tensor values;  // of the student alone
};

// run.json's best is that of the last weights that were not thrown away.
void forget_best(Scores& scores) {
  scores.best.clear();
  scores.best_epoch = -1;
}

void check_finite(const StepRecord& record) {
  for (const auto& update : record.updates) {
    if (std::isfinite(update.loss) && (update.skipped || std::isfinite(update.grad_norm))) continue;
    Error error = not_finite(record.phase_name + " step " + std::to_string(record.step),
                             "the " + update.model + "'s loss or gradient is");
    error.on_every_rank = true;  // the sums are the same everywhere
    throw error;
  }
}

std::string place_of_evaluation(const std::string& role, const std::string& split, int64_t epoch) {
  return (role == kStudent ? "" : "the " + role + " ") + "on " + split + " after epoch " +
         std::to_string(epoch + 1);
}

class Trainer {
 public:
  Trainer(const Models& models, const TrainingData& data, const TrainSettings& settings,
          uint64_t seed, const Control& control, Collectives& collectives, const Observer& observer)
      : models_(models),
        data_(data),
        settings_(settings),
        seed_(seed),
        control_(control),
        collectives_(collectives),
        observer_(observer),
        ranks_(collectives),
        training_step_(*data.train, settings, control, student().parameters().device(), result_) {
    for (int64_t i = 0; i < data.train->rows(); ++i) row_ids_.push_back(data.train->row_id(i));
  }

  TrainingResult run(const std::vector<Phase>& phases) {
    for (const auto& phase : phases) all_steps_ += steps_of(phase);
    keeps_best_weights_ = keeps_best_weights(phases, settings_);
    const auto start = Clock::now();
    for (const auto& phase : phases) run_phase(phase);
    if (settings_.checkpoint == "best") restore_best();
    synchronize(student().parameters().device());
    training_step_.settle_times();
    result_.times.train = seconds_since(start) - result_.times.eval;
    reduce_times();
    return result_;
  }

 private:
  int64_t steps_of(const Phase& phase) const {
    return steps_per_epoch(data_.train->rows(), settings_.batch_size) * epochs_of(phase, settings_);
  }
  Model& student() { return *models_.at(kStudent); }

  void run_phase(const Phase& phase) {
    ++phase_number_;
    phase_seed_ = derive_seed(seed_, "phase " + std::to_string(phase_number_));
    step_ = 0;
    begin_phase(phase);
    learners_.emplace(phase, steps_of(phase), models_, settings_, control_, collectives_,
                      observer_.no_shared_memory);
    for (int64_t epoch = 0; epoch < epochs_of(phase, settings_); ++epoch) {
      run_epoch(phase, epoch);
      evaluate(epoch);
      ++result_.epochs;
    }
    for (const auto& [role, learner] : *learners_) {
      check_finite_weights(learner.model->parameters(),
                           "the " + role + " after phase " + std::to_string(phase_number_),
                           control_);
    }
    learners_.reset();
  }

  void begin_phase(const Phase& phase) {
    // Weights that a phase begins with are its best until they are beaten.
    if (phase.start == StartWeights::kBestOfPreviousPhase) {
      restore_best();
    } else {
      best_.clear();
      forget_best(result_.student);
      for (auto& [role, scores] : result_.others) forget_best(scores);
    }
    if (phase.begin) phase.begin();
  }

  void run_epoch(const Phase& phase, int64_t epoch) {
    std::vector<int64_t> order(row_ids_.size());
    std::iota(order.begin(), order.end(), 0);
    if (settings_.shuffle) order = shuffled_order(phase_seed_, epoch, row_ids_);
    for (size_t begin = 0; begin < order.size(); begin += settings_.batch_size) {
      const size_t end = std::min(order.size(), begin + static_cast<size_t>(settings_.batch_size));
      run_step(phase, epoch, {order.begin() + begin, order.begin() + end});
      const bool epoch_ends = end == order.size();
      if (settings_.eval_steps > 0 && step_ % settings_.eval_steps == 0 && !epoch_ends)
        evaluate(epoch);
    }
  }

  void run_step(const Phase& phase, int64_t epoch, const std::vector<int64_t>& rows) {
    const auto around =
        observer_.around_step ? observer_.around_step(result_.steps, all_steps_) : nullptr;
    const auto start = Clock::now();
    StepContext context;
    context.epoch = epoch;
    context.step = step_;
    context.key = {phase_seed_, static_cast<uint32_t>(step_)};
    context.type = type_of(settings_.precision);
    context.global_batch = &ranks_;
    StepRecord record;
    record.updates = training_step_.take(phase, context, rows, *learners_);
    record.phase = phase_number_;
    record.phase_name = phase.name;
    record.epoch = epoch;
    record.step = step_++;
    record.done_steps = ++result_.steps;
    record.all_steps = all_steps_;
    record.samples = static_cast<int64_t>(rows.size());
    record.step_s = seconds_since(start);
    if (observer_.step) observer_.step(record);
    check_finite(record);
  }

  void evaluate(int64_t epoch) {
    training_step_.settle_all(*learners_);
    const auto start = Clock::now();
    for (const auto& [role, learner] : *learners_) {
      EvaluationRecord record;
      record.phase = phase_number_;
      record.epoch = epoch;
      record.step = step_;
      record.model = role;
      for (const auto& [split, dataset] : data_.dev) {
        const RowsSeen seen = observer_.pass ? observer_.pass(split, dataset->rows()) : nullptr;
        record.metrics[split] =
            data_.evaluator->scores(*learner.model, rows_of(*dataset, role), control_,
                                    place_of_evaluation(role, split, epoch), seen);
      }
      Scores& scores = role == kStudent ? result_.student : result_.others[role];
      scores.last = record.metrics;
      keep_best(record, scores);
      if (observer_.evaluation) observer_.evaluation(record);
    }
    result_.times.eval += seconds_since(start);  // predictions end on the host
  }

  // The first dev split decides (MNLI: matched).
  void keep_best(const EvaluationRecord& record, Scores& scores) {
    if (data_.dev.empty()) return;
    const double score =
        data_.evaluator->selection_score(record.metrics.at(data_.dev.front().first));
    Best& best = best_[record.model];
    if (!(score > best.score)) return;  // also not a NaN
    best.score = score;
    scores.best = record.metrics;
    scores.best_epoch = result_.epochs;
    if (record.model == kStudent && keeps_best_weights_) {
      best.values = student().parameters().values().clone();
    }
  }

  void restore_best() {
    const at::Tensor& values = best_[kStudent].values;
    if (values.defined()) student().parameters().values().copy_(values);
  }

  void reduce_times() {
    auto& times = result_.times;
    std::vector<double> values{times.train,        times.compute, times.wait,
                               times.comm_exposed, times.data,    times.eval};
    control_.max(values);
    times = {values[0], values[1], values[2], values[3], values[4], values[5]};
  }

  const Models& models_;
  const TrainingData& data_;
  const TrainSettings& settings_;
  const uint64_t seed_;
  const Control& control_;
  Collectives& collectives_;
  const Observer& observer_;
  CollectiveBatch ranks_;
  TrainingResult result_;
  TrainingStep training_step_;
  std::vector<int64_t> row_ids_;
  std::optional<Learners> learners_;  // of the phase
  std::map<std::string, Best> best_;  // by role
  bool keeps_best_weights_ = false;
  int phase_number_ = 0;
  uint64_t phase_seed_ = 0;
  int64_t step_ = 0, all_steps_ = 0;
};

}  // namespace

TrainingResult train(Method& method, const Inputs& inputs, const TrainingData& data,
                     const TrainSettings& settings, uint64_t seed, const Control& control,
                     Collectives& collectives, const Observer& observer) {
  const KeptHeap heap;
  TrainingResult result =
      Trainer(inputs.models, data, settings, seed, control, collectives, observer)
          .run(method.phases(inputs));
  for (const auto& [name, count] : method.counts()) {
    result.counts[name] = std::llround(control.sum(static_cast<double>(count)));
  }
  return result;
}

}  // namespace kdbench
