// SPDX-License-Identifier: MIT
#include "suite/training/training_plan.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "methods/models/registry.h"
#include "suite/training/sharding.h"
#include "suite/training/step_work.h"

namespace kdbench {
namespace {

constexpr int64_t kMoments = 2;  // of AdamW and of BertAdam alike
constexpr int64_t kFloat = sizeof(float);

int64_t tokens_of(const Dataset& data, const std::vector<int64_t>& rows) {
  return std::accumulate(rows.begin(), rows.end(), int64_t{0},
                         [&](int64_t sum, int64_t row) { return sum + data.length(row); });
}

// Row indices [begin, end) of one global batch.
std::vector<int64_t> batch_rows(const Dataset& data, int64_t begin, int64_t batch_size) {
  std::vector<int64_t> rows(std::min(batch_size, data.rows() - begin));
  std::iota(rows.begin(), rows.end(), begin);
  return rows;
}

SharePlan plan_shares(const Dataset& data, const TrainSettings& settings, int ranks) {
  SharePlan plan;
  plan.fewest_rows = settings.batch_size;
  int64_t work = 0, waited = 0;
  for (int64_t begin = 0; begin < data.rows(); begin += settings.batch_size) {
    const auto shares = split_rows(data, batch_rows(data, begin, settings.batch_size), ranks);
    int64_t fullest = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const auto& share = shares[static_cast<size_t>(rank)];
      const auto rows = static_cast<int64_t>(share.size());
      const int64_t tokens = tokens_of(data, share);
      plan.fewest_rows = std::min(plan.fewest_rows, rows);
      plan.most_rows = std::max(plan.most_rows, rows);
      fullest = std::max(fullest, tokens);
      work += tokens;
      for (const auto& pass : micro_batches(shares, rank, settings.micro_batch)) {
        plan.largest_pass = std::max(plan.largest_pass, tokens_of(data, pass));
      }
    }
    waited += fullest * ranks;
  }
  if (waited > 0) plan.balance = static_cast<double>(work) / static_cast<double>(waited);
  return plan;
}

// The models that learn in a phase, each once.
std::set<std::string> learners_of(const Phase& phase) {
  std::set<std::string> learners;
  for (const auto& update : phase.updates) learners.insert(update.model);
  return learners;
}

double flops_per_epoch(const Phase& phase, const Models& models, const Dataset& data) {
  double flops = 0.0;
  for (const auto& role : learners_of(phase)) {
    for (int64_t row = 0; row < data.rows(); ++row) {
      flops += 3.0 * models.at(role)->forward_flops(data.length(row));
    }
  }
  return flops;
}

TrafficPlan plan_traffic(const Phase& phase, const Models& models) {
  TrafficPlan plan;
  for (const auto& update : phase.updates) {
    const int64_t floats = models.at(update.model)->parameters().layout().buffer_size();
    plan.allreduces += static_cast<int64_t>(gradient_buckets(floats).size()) + 1;
    plan.gradient_bytes += kFloat * floats;
  }
  return plan;
}

MemoryPlan plan_memory(const std::vector<Phase>& phases, const Models& models, int64_t tokens,
                       bool keeps_best) {
  std::set<std::string> learners;
  for (const auto& phase : phases) learners.merge(learners_of(phase));
  MemoryPlan plan;
  for (const auto& [role, model] : models) {
    const int64_t bytes = kFloat * model->parameters().layout().buffer_size();
    plan.values += bytes;
    plan.gradients += bytes;
    if (!learners.count(role)) continue;
    plan.moments += kMoments * bytes;
    if (role == kStudent && keeps_best) plan.best += 2 * bytes;  // a new one beside the old
    const auto& architecture = find_architecture(model->config().architecture);
    plan.activations = std::max(plan.activations,
                                kFloat * tokens * architecture.activation_floats(model->config()));
  }
  return plan;
}

}  // namespace

TrainingPlan plan_training(const std::vector<Phase>& phases, const Models& models,
                           const Dataset& train, const TrainSettings& settings, int ranks,
                           bool keeps_best) {
  TrainingPlan plan;
  plan.rows = train.rows();
  plan.batch_size = settings.batch_size;
  plan.steps_per_epoch = steps_per_epoch(plan.rows, plan.batch_size);
  plan.shares = plan_shares(train, settings, ranks);
  plan.memory = plan_memory(phases, models, plan.shares.largest_pass,
                            keeps_best && keeps_best_weights(phases, settings));
  for (const auto& phase : phases) {
    PhasePlan part{phase.name, epochs_of(phase, settings), 0, 0};
    part.steps = plan.steps_per_epoch * part.epochs;
    part.updates = part.steps * static_cast<int64_t>(phase.updates.size());
    plan.epochs += part.epochs;
    plan.steps += part.steps;
    plan.updates += part.updates;
    plan.flops += static_cast<double>(part.epochs) * flops_per_epoch(phase, models, train);
    const TrafficPlan traffic = plan_traffic(phase, models);
    if (ranks > 1 && traffic.gradient_bytes > plan.traffic.gradient_bytes) plan.traffic = traffic;
    plan.phases.push_back(std::move(part));
  }
  return plan;
}

}  // namespace kdbench
