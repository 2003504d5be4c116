// SPDX-License-Identifier: MIT
#include "suite/training/training_cost.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "methods/models/registry.h"
#include "suite/training/gradient_buckets.h"
#include "suite/training/precision.h"
#include "suite/training/sharding.h"
#include "suite/training/step_work.h"
#include "suite/training/token_tables.h"

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

ShareCost share_cost(const Dataset& data, const TrainSettings& settings, int ranks) {
  ShareCost cost;
  cost.fewest_rows = settings.batch_size;
  int64_t work = 0, waited = 0;
  for (int64_t begin = 0; begin < data.rows(); begin += settings.batch_size) {
    const auto rows_of_batch = batch_rows(data, begin, settings.batch_size);
    const auto shares = split_rows(data, rows_of_batch, ranks);
    const auto tokens_of_batch = distinct_tokens(data, rows_of_batch);
    cost.distinct_tokens =
        std::max(cost.distinct_tokens, static_cast<int64_t>(tokens_of_batch.size()));
    int64_t fullest = 0;
    for (int rank = 0; rank < ranks; ++rank) {
      const auto& share = shares[static_cast<size_t>(rank)];
      const auto rows = static_cast<int64_t>(share.size());
      const int64_t tokens = tokens_of(data, share);
      cost.fewest_rows = std::min(cost.fewest_rows, rows);
      cost.most_rows = std::max(cost.most_rows, rows);
      fullest = std::max(fullest, tokens);
      work += tokens;
      for (const auto& pass : micro_batches(shares, rank, settings.micro_batch)) {
        cost.largest_pass = std::max(cost.largest_pass, tokens_of(data, pass));
      }
    }
    waited += fullest * ranks;
  }
  if (waited > 0) cost.balance = static_cast<double>(work) / static_cast<double>(waited);
  return cost;
}

// The models that learn in a phase, each once.
std::set<std::string> learners_of(const Phase& phase) {
  std::set<std::string> learners;
  for (const auto& update : phase.updates) learners.insert(update.model);
  return learners;
}

double flops_per_epoch(const Phase& phase, const Models& models, const Dataset& data,
                       CostMemo& memo) {
  double flops = 0.0;
  for (const auto& role : learners_of(phase)) {
    flops += 3.0 * forward_flops(*models.at(role), rows_of(data, role), memo);
  }
  return flops;
}

const ShareCost& shares_of(const Dataset& data, const TrainSettings& settings, int ranks,
                           CostMemo& memo) {
  const auto key = std::make_tuple(&data, settings.batch_size, settings.micro_batch, ranks);
  const auto found = memo.shares.find(key);
  if (found != memo.shares.end()) return found->second;
  return memo.shares.emplace(key, share_cost(data, settings, ranks)).first->second;
}

TrafficCost traffic_cost(const Phase& phase, const Models& models, int64_t distinct_tokens) {
  TrafficCost cost;
  for (const auto& update : phase.updates) {
    const ParameterLayout& layout = models.at(update.model)->parameters().layout();
    for (const auto& bucket : gradient_buckets(layout, at::kCPU)) {
      ++cost.allreduces;
      cost.gradient_bytes += kFloat * bucket.size();
    }
    for (const auto& table : token_tables(layout)) {
      ++cost.allreduces;
      cost.gradient_bytes += kFloat * distinct_tokens * table.width;
    }
    ++cost.allreduces;  // the losses
  }
  return cost;
}

// Of the copy that low precision computes with.
int64_t rounded_bytes(const ParameterLayout& layout, const std::string& precision) {
  if (type_of(precision) == at::kFloat) return 0;
  int64_t floats = layout.buffer_size();
  for (const auto& table : token_tables(layout)) floats -= table.range().size();
  return floats * static_cast<int64_t>(c10::elementSize(type_of(precision)));
}

RamCost ram_cost(const std::vector<Phase>& phases, const Models& models, int64_t tokens,
                 const std::string& precision, bool keeps_best) {
  std::set<std::string> learners;
  for (const auto& phase : phases) learners.merge(learners_of(phase));
  RamCost cost;
  for (const auto& [role, model] : models) {
    const ParameterLayout& layout = model->parameters().layout();
    const int64_t bytes = kFloat * layout.buffer_size();
    cost.values += bytes + kFloat * layout.constant_count() + rounded_bytes(layout, precision);
    cost.gradients += bytes;
    if (!learners.count(role)) continue;
    cost.moments += kMoments * bytes;
    if (role == kStudent && keeps_best) cost.best += 2 * bytes;  // a new one beside the old
    const auto& architecture = find_architecture(model->config().architecture);
    cost.activations = std::max(cost.activations,
                                kFloat * tokens * architecture.activation_floats(model->config()));
  }
  return cost;
}

}  // namespace

double forward_flops(const Model& model, const Dataset& data, CostMemo& memo) {
  const auto [entry, is_new] = memo.forward_flops.try_emplace({&model, &data}, 0.0);
  if (!is_new) return entry->second;
  std::map<int64_t, int64_t> rows_of_length;
  for (int64_t row = 0; row < data.rows(); ++row) ++rows_of_length[data.length(row)];
  for (const auto& [length, rows] : rows_of_length) {
    entry->second += static_cast<double>(rows) * model.forward_flops(length);
  }
  return entry->second;
}

TrainingCost training_cost(const std::vector<Phase>& phases, const Models& models,
                           const Dataset& train, const TrainSettings& settings, int ranks,
                           bool keeps_best, CostMemo& memo) {
  TrainingCost cost;
  cost.rows = train.rows();
  cost.batch_size = settings.batch_size;
  cost.steps_per_epoch = steps_per_epoch(cost.rows, cost.batch_size);
  cost.shares = shares_of(train, settings, ranks, memo);
  cost.ram = ram_cost(phases, models, cost.shares.largest_pass, settings.precision,
                      keeps_best && keeps_best_weights(phases, settings));
  for (const auto& phase : phases) {
    PhaseCost part{phase.name, epochs_of(phase, settings), 0, 0};
    part.steps = cost.steps_per_epoch * part.epochs;
    part.updates = part.steps * static_cast<int64_t>(phase.updates.size());
    cost.epochs += part.epochs;
    cost.steps += part.steps;
    cost.updates += part.updates;
    cost.flops += static_cast<double>(part.epochs) * flops_per_epoch(phase, models, train, memo);
    const TrafficCost traffic = traffic_cost(phase, models, cost.shares.distinct_tokens);
    if (ranks > 1 && traffic.gradient_bytes > cost.traffic.gradient_bytes) cost.traffic = traffic;
    cost.phases.push_back(std::move(part));
  }
  return cost;
}

}  // namespace kdbench
