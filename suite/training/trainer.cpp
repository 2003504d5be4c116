// SPDX-License-Identifier: MIT
#include "suite/training/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

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

// run.json's best is that of the last weights that were not thrown away.
void forget_best(Scores& scores) {
  scores.best.clear();
  scores.best_epoch = -1;
}

std::vector<at::Tensor> copies(const Model& model) {
  std::vector<at::Tensor> state;
  for (const auto& tensor : model.parameters().state()) state.push_back(tensor.clone());
  return state;
}

// Throws a user error where that is the state of another model.
void put_back(const std::vector<at::Tensor>& state, const Model& model) {
  const at::NoGradGuard no_grad;
  const auto now = model.parameters().state();
  if (now.size() != state.size()) throw_user_error("the checkpoint", "is that of another model");
  for (size_t i = 0; i < now.size(); ++i) now[i].copy_(state[i]);
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
  Trainer(Method& method, const Models& models, const TrainingData& data,
          const TrainSettings& settings, uint64_t seed, const Control& control,
          Collectives& collectives, const Observer& observer, Keeping keeping)
      : method_(method),
        models_(models),
        data_(data),
        settings_(settings),
        seed_(seed),
        control_(control),
        collectives_(collectives),
        observer_(observer),
        keeping_(std::move(keeping)),
        ranks_(collectives),
        training_step_(
            *data.train, settings, control, device(), [this] { return requests(); },
            state_.result) {
    for (int64_t i = 0; i < data.train->rows(); ++i) row_ids_.push_back(data.train->row_id(i));
    epoch_steps_ = steps_per_epoch(data.train->rows(), settings.batch_size);
  }

  TrainingResult run(const std::vector<Phase>& phases) {
    for (const auto& phase : phases) all_steps_ += steps_of(phase);
    keeps_best_weights_ = keeps_best_weights(phases, settings_);
    if (keeping_.begin) go_on(*keeping_.begin);
    for (auto number = static_cast<size_t>(std::max(1, state_.phase)); number <= phases.size();
         ++number) {
      run_phase(phases[number - 1]);
    }
    if (settings_.checkpoint == "best") restore_best();
    return result_so_far();
  }

 private:
  int64_t steps_of(const Phase& phase) const { return epoch_steps_ * epochs_of(phase, settings_); }
  Model& student() { return *models_.at(kStudent); }
  at::Device device() { return student().parameters().device(); }

  // ---- Phases, epochs, steps.

  void run_phase(const Phase& phase) {
    const bool goes_on = state_.step > 0;
    if (!goes_on) begin_phase(phase);
    phase_seed_ = derive_seed(seed_, "phase " + std::to_string(state_.phase));
    learners_.emplace(phase, steps_of(phase), models_, settings_, control_, collectives_,
                      observer_.no_shared_memory);
    if (goes_on) {
      learners_->set_state(keeping_.begin->learners);
      keeping_.begin.reset();
    }
    for (int64_t epoch = goes_on ? (state_.step - 1) / epoch_steps_ : 0;
         epoch < epochs_of(phase, settings_); ++epoch) {
      run_epoch(phase, epoch);
    }
    for (const auto& [role, learner] : *learners_) {
      check_finite_weights(learner.model->parameters(),
                           "the " + role + " after phase " + std::to_string(state_.phase),
                           control_);
    }
    learners_.reset();
    state_.step = 0;
  }

  void begin_phase(const Phase& phase) {
    ++state_.phase;
    // Weights that a phase begins with are its best until they are beaten.
    if (phase.start == StartWeights::kBestOfPreviousPhase) {
      restore_best();
    } else {
      state_.best.clear();
      forget_best(state_.result.student);
      for (auto& [role, scores] : state_.result.others) forget_best(scores);
    }
    if (phase.begin) phase.begin();
  }

  void run_epoch(const Phase& phase, int64_t epoch) {
    const int64_t first = epoch * epoch_steps_, end = first + epoch_steps_;
    const std::vector<int64_t> order = order_of(epoch);
    if (state_.step > first) evaluate_between(epoch, end);  // it goes on after that step
    while (state_.step < end) {
      run_step(phase, epoch, batch_of(order, state_.step - first));
      keep_or_stop();
      evaluate_between(epoch, end);
    }
    evaluate(epoch);
    ++state_.result.epochs;
  }

  std::vector<int64_t> order_of(int64_t epoch) const {
    if (settings_.shuffle) return shuffled_order(phase_seed_, epoch, row_ids_);
    std::vector<int64_t> order(row_ids_.size());
    std::iota(order.begin(), order.end(), 0);
    return order;
  }

  std::vector<int64_t> batch_of(const std::vector<int64_t>& order, int64_t number) const {
    const int64_t begin = number * settings_.batch_size;
    const int64_t end = std::min(static_cast<int64_t>(order.size()), begin + settings_.batch_size);
    return {order.begin() + begin, order.begin() + end};
  }

  void run_step(const Phase& phase, int64_t epoch, const std::vector<int64_t>& rows) {
    const auto around =
        observer_.around_step ? observer_.around_step(state_.result.steps, all_steps_) : nullptr;
    const auto start = Clock::now();
    StepContext context;
    context.epoch = epoch;
    context.step = state_.step;
    context.key = {phase_seed_, static_cast<uint32_t>(state_.step)};
    context.type = type_of(settings_.precision);
    context.global_batch = &ranks_;
    StepRecord record;
    record.updates = training_step_.take(phase, context, rows, *learners_);
    record.phase = state_.phase;
    record.phase_name = phase.name;
    record.epoch = epoch;
    record.step = state_.step++;
    record.done_steps = ++state_.result.steps;
    record.all_steps = all_steps_;
    record.samples = static_cast<int64_t>(rows.size());
    record.step_s = seconds_since(start);
    if (observer_.step) observer_.step(record);
    check_finite(record);
  }

  // ---- Evaluation and the best.

  void evaluate_between(int64_t epoch, int64_t end) {
    if (settings_.eval_steps > 0 && state_.step % settings_.eval_steps == 0 && state_.step != end)
      evaluate(epoch);
  }

  void evaluate(int64_t epoch) {
    training_step_.settle_all(*learners_);
    const auto start = Clock::now();
    std::vector<EvaluationRecord> records;
    for (const auto& [role, learner] : *learners_)
      records.push_back(evaluated(role, *learner.model, epoch));
    for (const auto& record : records) {
      Scores& scores =
          record.model == kStudent ? state_.result.student : state_.result.others[record.model];
      scores.last = record.metrics;
      keep_best(record, scores);
      if (observer_.evaluation) observer_.evaluation(record);
    }
    state_.result.times.eval += seconds_since(start);  // predictions end on the host
  }

  EvaluationRecord evaluated(const std::string& role, Model& model, int64_t epoch) {
    EvaluationRecord record;
    record.phase = state_.phase;
    record.epoch = epoch;
    record.step = state_.step;
    record.model = role;
    for (const auto& [split, dataset] : data_.dev) {
      stop_if_asked();
      const RowsSeen seen = observer_.pass ? observer_.pass(split, dataset->rows()) : nullptr;
      record.metrics[split] = data_.evaluator->scores(
          model, rows_of(*dataset, role), control_, place_of_evaluation(role, split, epoch), seen);
    }
    return record;
  }

  // The first dev split decides (MNLI: matched).
  void keep_best(const EvaluationRecord& record, Scores& scores) {
    if (data_.dev.empty()) return;
    const double score =
        data_.evaluator->selection_score(record.metrics.at(data_.dev.front().first));
    Best& best = state_.best[record.model];
    if (!(score > best.score)) return;  // also not a NaN
    best.score = score;
    scores.best = record.metrics;
    scores.best_epoch = state_.result.epochs;
    if (record.model == kStudent && keeps_best_weights_) best.state = copies(student());
  }

  void restore_best() {
    if (const auto& best = state_.best[kStudent].state; !best.empty()) put_back(best, student());
  }

  // ---- What is kept, and going on.

  Requests requests() const {
    Requests own;
    own.stop = keeping_.stop && keeping_.stop();
    own.keep = control_.root() && keeping_.due && keeping_.due(state_.result.steps + 1, all_steps_);
    return own;
  }

  void keep_or_stop() {
    const Requests& asked = training_step_.requests();
    if (asked.stop) stop();
    if (asked.keep) keep(false);
  }

  // Between the splits of an evaluation, whose result is then forgotten: all stands as it did after
  // the last step. Collective.
  void stop_if_asked() {
    if (keeping_.stop && control_.any(keeping_.stop())) stop();
  }

  [[noreturn]] void stop() {
    keep(true);
    Error error(ExitCode::kStopped, "",
                fmt::format("stopped after step {} of {}", state_.result.steps, all_steps_));
    error.on_every_rank = true;
    throw error;
  }

  void keep(bool stops) {
    if (!keeping_.keep) return;
    const auto start = Clock::now();
    training_step_.settle_all(*learners_);
    TrainingState kept = state_;
    for (const auto& [role, model] : models_) kept.models[role] = model->parameters().state();
    kept.learners = learners_->state(collectives_);
    kept.method = method_.learned();
    kept.result = result_so_far();
    keeping_.keep(kept, stops);
    state_.result.times.checkpoint += seconds_since(start);
  }

  void go_on(const TrainingState& state) {
    state_.phase = state.phase;
    state_.step = state.step;
    state_.result = before_ = state.result;
    state_.best = state.best;
    for (const auto& [role, model] : state.models) put_back(model, *models_.at(role));
    method_.set_learned(state.method);
  }

  // With times and counts over all ranks. Collective.
  TrainingResult result_so_far() {
    synchronize(device());
    training_step_.settle_times();
    TrainingResult result = state_.result;
    TrainingTimes& times = result.times;
    times.train = before_.times.train + seconds_since(start_) - (times.eval - before_.times.eval) -
                  (times.checkpoint - before_.times.checkpoint);
    std::vector<double> values{times.train, times.compute, times.wait,      times.comm_exposed,
                               times.data,  times.eval,    times.checkpoint};
    control_.max(values);
    times = {values[0], values[1], values[2], values[3], values[4], values[5], values[6]};
    for (const auto& [name, count] : method_.counts())
      result.counts[name] += std::llround(control_.sum(static_cast<double>(count)));
    return result;
  }

  Method& method_;
  const Models& models_;
  const TrainingData& data_;
  const TrainSettings& settings_;
  const uint64_t seed_;
  const Control& control_;
  Collectives& collectives_;
  const Observer& observer_;
  Keeping keeping_;
  CollectiveBatch ranks_;
  TrainingState state_;  // its tensors and the method's numbers only in what is kept, but for best
  TrainingStep training_step_;
  TrainingResult before_;  // where it goes on from
  const Clock::time_point start_ = Clock::now();
  std::vector<int64_t> row_ids_;
  std::optional<Learners> learners_;  // of the phase
  bool keeps_best_weights_ = false;
  uint64_t phase_seed_ = 0;
  int64_t epoch_steps_ = 0, all_steps_ = 0;
};

}  // namespace

TrainingResult train(Method& method, const Inputs& inputs, const TrainingData& data,
                     const TrainSettings& settings, uint64_t seed, const Control& control,
                     Collectives& collectives, const Observer& observer, Keeping keeping) {
  const KeptHeap heap;
  const std::vector<Phase> phases = method.phases(inputs);
  return Trainer(method, inputs.models, data, settings, seed, control, collectives, observer,
                 std::move(keeping))
      .run(phases);
}

}  // namespace kdbench
