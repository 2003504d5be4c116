// SPDX-License-Identifier: MIT
#include "suite/training/training_step.h"

#include <ATen/record_function.h>

#include <string>
#include <utility>

#include "io/base/doing.h"
#include "suite/training/sharding.h"
#include "suite/training/step_work.h"

namespace kdbench {
namespace {

Loss forward(const Update& update, const StepContext& context, const Batch& slice) {
  RECORD_USER_SCOPE("forward and loss");
  return update.loss(context, slice);
}

void keep_values(const Loss& loss, UpdateRecord& record, std::vector<at::Tensor>& values) {
  if (values.empty()) {
    for (const auto& [name, value] : loss.terms) record.terms.emplace_back(name, 0.0);
  }
  values.push_back(loss.total.detach());
  for (const auto& [name, value] : loss.terms) values.push_back(value.detach());
}

// All values but the last are scalars, `count` of each slice: their sums over the slices, and
// behind them what the last holds. Read at once: on a GPU each would be waited for.
std::vector<double> read_sums(const std::vector<at::Tensor>& values, size_t count) {
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

}  // namespace

TrainingStep::TrainingStep(const Dataset& data, const TrainSettings& settings,
                           const Control& control, at::Device device, std::function<Requests()> own,
                           TrainingResult& result)
    : data_(data),
      settings_(settings),
      control_(control),
      device_(device),
      own_(std::move(own)),
      times_(device),
      result_(result) {}

template <typename F>
void TrainingStep::in_section(const char* name, double TrainingTimes::*seconds, F&& f) {
  RECORD_USER_SCOPE(name);
  const Doing doing(name);
  const auto section = times_.section(&(result_.times.*seconds));
  f();
}

std::vector<UpdateRecord> TrainingStep::take(const Phase& phase, const StepContext& context,
                                             const std::vector<int64_t>& rows, Learners& learners) {
  std::vector<Batch> slices = make_slices(rows);
  in_section("teacher beside the student", &TrainingTimes::compute, [&] {
    for (Batch& slice : slices) data_.add_outputs(slice);
  });
  in_section("rows that waited", &TrainingTimes::compute, [&] { learners.settle(data_, rows); });
  requests_ = {};
  std::vector<UpdateRecord> records;
  for (const auto& update : phase.updates)
    records.push_back(run_update(update, context, slices, learners.at(update.model)));
  times_.settle();
  count_work(rows, learners);
  return records;
}

void TrainingStep::settle_all(Learners& learners) {
  in_section("all rows", &TrainingTimes::compute, [&] { learners.settle_all(); });
}

// This rank's share of the global batch, cut into the slices of one forward pass each.
std::vector<Batch> TrainingStep::make_slices(const std::vector<int64_t>& rows) {
  RECORD_USER_SCOPE("data");
  const auto section = times_.section(&result_.times.data);
  const auto shares = split_rows(data_, rows, control_.size());
  const int64_t targets = targets_of(data_, rows);
  std::vector<Batch> slices;
  for (const auto& slice : micro_batches(shares, control_.rank(), settings_.micro_batch)) {
    slices.push_back(data_.batch(slice, static_cast<int64_t>(rows.size())).to(device_));
    slices.back().global_targets = targets;
  }
  return slices;
}

UpdateRecord TrainingStep::run_update(const Update& update, const StepContext& context,
                                      const std::vector<Batch>& slices, LearningModel& learner) {
  const Parameters& parameters = learner.model->parameters();
  UpdateRecord record;
  record.model = update.model;
  record.learning_rate = learner.schedule.rate(context.step);
  std::vector<at::Tensor> values = add_gradients(update, context, slices, learner, record);
  wait_for_slower_ranks();
  in_section("sum of gradients", &TrainingTimes::comm_exposed,
             [&] { learner.reducer->reduce(*learner.tokens); });
  std::vector<double> sums;
  in_section("norms", &TrainingTimes::compute, [&] {
    values.push_back(learner.optimizer->squares(parameters, learner.tokens));
    sums = read_sums(values, record.terms.size() + 1);
  });
  in_section("sum of losses", &TrainingTimes::comm_exposed, [&] { sum_over_ranks(sums); });
  record.loss = sums[0];
  for (size_t i = 0; i < record.terms.size(); ++i) record.terms[i].second = sums[i + 1];
  sums.erase(sums.begin(), sums.begin() + 1 + static_cast<int64_t>(record.terms.size()));
  move(learner, sums, record);
  return record;
}

// Returns of each slice its loss, then its terms.
std::vector<at::Tensor> TrainingStep::add_gradients(const Update& update,
                                                    const StepContext& context,
                                                    const std::vector<Batch>& slices,
                                                    LearningModel& learner, UpdateRecord& record) {
  const Doing doing("forward and backward");
  const auto section = times_.section(&result_.times.compute);
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

// Else their time would count as communication. On a GPU the host is ahead of its work.
void TrainingStep::wait_for_slower_ranks() {
  if (control_.size() == 1 || !device_.is_cpu()) return;
  in_section("wait for slower ranks", &TrainingTimes::wait, [&] { control_.barrier(); });
}

// Requests travel at their end.
void TrainingStep::sum_over_ranks(std::vector<double>& sums) {
  const Requests own = own_();
  sums.push_back(own.stop ? 1.0 : 0.0);
  sums.push_back(own.keep ? 1.0 : 0.0);
  control_.sum(sums);
  const auto take = [&](bool& request) {
    request = request || sums.back() > 0.0;
    sums.pop_back();
  };
  take(requests_.keep);
  take(requests_.stop);
}

// By gradients whose squared norms are known.
void TrainingStep::move(LearningModel& learner, const std::vector<double>& squares,
                        UpdateRecord& record) {
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

void TrainingStep::count_work(const std::vector<int64_t>& rows, Learners& learners) {
  result_.samples += static_cast<int64_t>(rows.size());
  for (const int64_t row : rows) {
    result_.tokens += data_.length(row);
    for (const auto& [role, learner] : learners) {
      const int64_t length = rows_of(data_, role).length(row);
      result_.model_flops += 3.0 * learner.model->forward_flops(length);
    }
  }
}

}  // namespace kdbench
