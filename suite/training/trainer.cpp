// SPDX-License-Identifier: MIT
#include "suite/training/trainer.h"

#include <ATen/record_function.h>

#include <chrono>
#include <cmath>
#include <numeric>

#include "io/base/error.h"
#include "suite/machine/device.h"
#include "suite/machine/kept_heap.h"
#include "suite/machine/section_times.h"
#include "suite/machine/stopwatch.h"
#include "suite/training/finite.h"
#include "suite/training/gradient_reducer.h"
#include "suite/training/optimizer.h"
#include "suite/training/precision.h"
#include "suite/training/schedule.h"
#include "suite/training/sharding.h"
#include "suite/training/step_work.h"
#include "suite/training/token_tables.h"

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

// A model that learns in the current phase, with its own optimizer and schedule.
struct Learner {
  Model* model = nullptr;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<GradientReducer> reducer;
  Schedule schedule;
  LossScale scale{at::kFloat};
  TouchedTokens tokens = nullptr;  // of the step, as the model's tokenizer has them
};

// A model's best so far. The first of equal scores stays.
struct Best {
  double score = -INFINITY;
  at::Tensor values;  // of the student alone
};

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
        times_(models.at(kStudent)->parameters().device()) {
    for (int64_t i = 0; i < data.train->rows(); ++i) row_ids_.push_back(data.train->row_id(i));
  }

  TrainingResult run(const std::vector<Phase>& phases) {
    for (const auto& phase : phases) all_steps_ += steps_of(phase);
    keeps_best_weights_ = keeps_best_weights(phases, settings_);
    const auto start = Clock::now();
    for (const auto& phase : phases) run_phase(phase);
    if (settings_.checkpoint == "best") restore_best();
    synchronize(student().parameters().device());
    times_.settle();
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
    // Weights that a phase begins with are its best until they are beaten.
    if (phase.start == StartWeights::kBestOfPreviousPhase) {
      restore_best();
    } else {
      best_.clear();
      forget_best(result_.student);
      for (auto& [role, scores] : result_.others) forget_best(scores);
    }
    ++phase_number_;
    phase_seed_ = derive_seed(seed_, "phase " + std::to_string(phase_number_));
    step_ = 0;
    make_learners(phase);
    for (int64_t epoch = 0; epoch < epochs_of(phase, settings_); ++epoch) {
      run_epoch(phase, epoch);
      evaluate(epoch);
      ++result_.epochs;
    }
    for (const auto& [role, learner] : learners_) {
      check_finite_weights(learner.model->parameters(),
                           "the " + role + " after phase " + std::to_string(phase_number_),
                           control_);
    }
    learners_.clear();
  }

  void make_learners(const Phase& phase) {
    for (const auto& update : phase.updates) {
      if (learners_.count(update.model)) continue;
      Learner learner;
      learner.scale = LossScale(type_of(settings_.precision));
      learner.model = models_.at(update.model);
      OptimizerSettings optimizer;
      optimizer.kind = settings_.optimizer;
      optimizer.weight_decay = settings_.weight_decay;
      optimizer.clip = settings_.clip;
      Parameters& parameters = learner.model->parameters();
      learner.reducer = make_gradient_reducer(parameters, control_, collectives_,
                                              travel(parameters), observer_.no_shared_memory);
      learner.optimizer = make_optimizer(optimizer, parameters, learner.reducer->part());
      const auto overrides = phase.overrides.find(update.model);
      learner.schedule = {settings_.schedule, settings_.learning_rate, settings_.warmup,
                          steps_of(phase)};
      if (overrides != phase.overrides.end()) {
        learner.schedule.base = overrides->second.learning_rate.value_or(settings_.learning_rate);
      }
      learner.model->parameters().zero_gradients();
      learners_.emplace(update.model, std::move(learner));
    }
  }

  GradientTravel travel(const Parameters& parameters) const {
    GradientTravel travel;
    travel.type = type_of(settings_.reduce_dtype);
    travel.during_backward = !parameters.device().is_cpu();
    return travel;
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
    std::vector<Batch> slices = make_slices(rows);
    in_section("teacher beside the student", &TrainingTimes::compute, [&] {
      for (Batch& slice : slices) data_.train->add_outputs(slice);
    });
    settle(rows);

    StepRecord record;
    for (const auto& update : phase.updates)
      record.updates.push_back(run_update(update, context, slices));
    times_.settle();
    count_work(rows);
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

  // What the step reads must be where earlier steps have moved it.
  void settle(const std::vector<int64_t>& rows) {
    RECORD_USER_SCOPE("rows that waited");
    const auto section = times_.section(&result_.times.compute);
    tokens_.clear();
    for (auto& [role, learner] : learners_) {
      const Dataset& read = rows_of(*data_.train, role);
      const auto [tokens, is_new] = tokens_.try_emplace(&read);
      if (is_new) tokens->second = distinct_tokens(read, rows);
      learner.tokens = &tokens->second;
      learner.optimizer->settle(learner.model->parameters(), tokens->second);
      learner.reducer->share_settled();
    }
  }

  void settle_all() {
    const auto section = times_.section(&result_.times.compute);
    for (auto& [role, learner] : learners_) {
      learner.optimizer->settle(learner.model->parameters());
      learner.reducer->share_settled();
    }
  }

  // This rank's share of the global batch, cut into the slices of one forward pass each.
  std::vector<Batch> make_slices(const std::vector<int64_t>& rows) {
    RECORD_USER_SCOPE("data");
    const auto section = times_.section(&result_.times.data);
    const auto shares = split_rows(*data_.train, rows, control_.size());
    const int64_t targets = targets_of(*data_.train, rows);
    std::vector<Batch> slices;
    for (const auto& slice : micro_batches(shares, control_.rank(), settings_.micro_batch)) {
      slices.push_back(data_.train->batch(slice, static_cast<int64_t>(rows.size()))
                           .to(student().parameters().device()));
      slices.back().global_targets = targets;
    }
    return slices;
  }

  UpdateRecord run_update(const Update& update, const StepContext& context,
                          const std::vector<Batch>& slices) {
    Learner& learner = learners_.at(update.model);
    Parameters& parameters = learner.model->parameters();
    UpdateRecord record;
    record.model = update.model;
    record.learning_rate = learner.schedule.rate(context.step);
    std::vector<at::Tensor> values = add_gradients(update, context, slices, record);
    wait_for_slower_ranks();
    in_section("sum of gradients", &TrainingTimes::comm_exposed,
               [&] { learner.reducer->reduce(*learner.tokens); });
    std::vector<double> sums;
    in_section("norms", &TrainingTimes::compute, [&] {
      values.push_back(learner.optimizer->squares(parameters, learner.tokens));
      sums = read_sums(values, record.terms.size() + 1);
    });
    in_section("sum of losses", &TrainingTimes::comm_exposed, [&] { control_.sum(sums); });
    record.loss = sums[0];
    for (size_t i = 0; i < record.terms.size(); ++i) record.terms[i].second = sums[i + 1];
    sums.erase(sums.begin(), sums.begin() + 1 + static_cast<int64_t>(record.terms.size()));
    move(learner, sums, record);
    return record;
  }

  // By gradients whose squared norms are known.
  void move(Learner& learner, const std::vector<double>& squares, UpdateRecord& record) {
    Parameters& parameters = learner.model->parameters();
    const double scale = learner.scale.value();
    record.grad_norm = norm_of(squares) / scale;
    record.skipped = !learner.scale.takes(record.grad_norm);
    if (record.skipped) {
      ++result_.counts["skipped_steps"];
      const auto section = times_.section(&result_.times.compute);
      parameters.zero_gradients();
      return;
    }
    in_section("optimizer", &TrainingTimes::compute, [&] {
      learner.optimizer->apply(parameters, record.learning_rate, squares, scale, learner.tokens);
    });
    in_section("sharing of values", &TrainingTimes::comm_exposed,
               [&] { learner.reducer->share_values(); });
  }

  template <typename F>
  void in_section(const char* name, double TrainingTimes::*seconds, F&& f) {
    RECORD_USER_SCOPE(name);
    const auto section = times_.section(&(result_.times.*seconds));
    f();
  }

  // Returns of each slice its loss, then its terms.
  std::vector<at::Tensor> add_gradients(const Update& update, const StepContext& context,
                                        const std::vector<Batch>& slices, UpdateRecord& record) {
    const auto section = times_.section(&result_.times.compute);
    const Learner& learner = learners_.at(update.model);
    const double scale = learner.scale.value();
    std::vector<at::Tensor> values;
    for (size_t i = 0; i < slices.size(); ++i) {
      const Loss loss = forward(update, context, slices[i]);
      if (i + 1 == slices.size()) learner.reducer->before_backward();
      RECORD_USER_SCOPE("backward");
      (scale == 1.0 ? loss.total : loss.total * scale).backward();
      keep_values(loss, record, values);
    }
    return values;
  }

  static Loss forward(const Update& update, const StepContext& context, const Batch& slice) {
    RECORD_USER_SCOPE("forward and loss");
    return update.loss(context, slice);
  }

  // Else their time would count as communication. On a GPU the host is ahead of its work.
  void wait_for_slower_ranks() {
    if (control_.size() == 1 || !student().parameters().device().is_cpu()) return;
    in_section("wait for slower ranks", &TrainingTimes::wait, [&] { control_.barrier(); });
  }

  static void keep_values(const Loss& loss, UpdateRecord& record, std::vector<at::Tensor>& values) {
    if (values.empty()) {
      for (const auto& [name, value] : loss.terms) record.terms.emplace_back(name, 0.0);
    }
    values.push_back(loss.total.detach());
    for (const auto& [name, value] : loss.terms) values.push_back(value.detach());
  }

  // All values but the last are scalars, `count` of each slice: their sums over the slices, and
  // behind them what the last holds. Read at once: on a GPU each would be waited for.
  static std::vector<double> read_sums(const std::vector<at::Tensor>& values, size_t count) {
    const auto options = values.back().options().dtype(at::kDouble);
    std::vector<at::Tensor> doubles;
    for (const auto& value : values) doubles.push_back(value.to(options).view({-1}));
    const at::Tensor read = at::cat(doubles).cpu();
    const double* const data = read.const_data_ptr<double>();
    const size_t scalars = values.size() - 1;
    std::vector<double> sums(count, 0.0);
    for (size_t i = 0; i < scalars; ++i) sums[i % count] += data[i];
    sums.insert(sums.end(), data + scalars, data + read.numel());
    return sums;
  }

  void count_work(const std::vector<int64_t>& rows) {
    result_.samples += static_cast<int64_t>(rows.size());
    for (const int64_t row : rows) {
      result_.tokens += data_.train->length(row);
      for (const auto& [role, learner] : learners_) {
        const int64_t length = rows_of(*data_.train, role).length(row);
        result_.model_flops += 3.0 * learner.model->forward_flops(length);
      }
    }
  }

  static void check_finite(const StepRecord& record) {
    for (const auto& update : record.updates) {
      if (std::isfinite(update.loss) && (update.skipped || std::isfinite(update.grad_norm)))
        continue;
      Error error = not_finite(record.phase_name + " step " + std::to_string(record.step),
                               "the " + update.model + "'s loss or gradient is");
      error.on_every_rank = true;  // the sums are the same everywhere
      throw error;
    }
  }

  static std::string place_of_evaluation(const std::string& role, const std::string& split,
                                         int64_t epoch) {
    return (role == kStudent ? "" : "the " + role + " ") + "on " + split + " after epoch " +
           std::to_string(epoch + 1);
  }

  void evaluate(int64_t epoch) {
    settle_all();
    const auto start = Clock::now();
    for (const auto& [role, learner] : learners_) {
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
  // run.json's best is that of the last weights that were not thrown away.
  static void forget_best(Scores& scores) {
    scores.best.clear();
    scores.best_epoch = -1;
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
  SectionTimes times_;
  // The distinct ones of this step's global batch, as each data set that is read has them.
  std::map<const Dataset*, std::vector<int64_t>> tokens_;
  std::vector<int64_t> row_ids_;
  std::map<std::string, Learner> learners_;
  std::map<std::string, Best> best_;  // by role
  bool keeps_best_weights_ = false;
  int phase_number_ = 0;
  uint64_t phase_seed_ = 0;
  int64_t step_ = 0, all_steps_ = 0;
  TrainingResult result_;
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
