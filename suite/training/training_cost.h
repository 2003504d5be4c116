// SPDX-License-Identifier: MIT
// What one training will do on a number of ranks, in figures, from the same functions that the
// trainer uses. Models may lie on the meta device: nothing is computed with them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/training/train_settings.h"

namespace kdbench {

struct PhaseCost {
  std::string name;
  int64_t epochs = 0, steps = 0;
  int64_t updates = 0;  // optimizer steps, of all models that learn
};

// How the global batches of one epoch, taken in file order, divide over the ranks.
struct ShareCost {
  int64_t fewest_rows = 0, most_rows = 0;  // of a rank in a step
  int64_t largest_pass = 0;                // tokens of one forward pass of one rank, at most
  int64_t distinct_tokens = 0;             // of a global batch, at most
  double balance = 1.0;  // work (tokens) over what the fullest rank of each step makes all wait for
};

// Bytes of one rank while it trains. Activations are an estimate.
struct RamCost {
  int64_t values = 0, gradients = 0, moments = 0, best = 0, activations = 0;
  int64_t total() const { return values + gradients + moments + best + activations; }
};

// What a rank hands to the collectives in a step; nothing with one rank.
struct TrafficCost {
  int64_t allreduces = 0;  // gradient buckets (each as reduce-scatter and allgather), losses
  int64_t gradient_bytes = 0;
};

struct TrainingCost {
  std::vector<PhaseCost> phases;
  int64_t rows = 0, batch_size = 0, steps_per_epoch = 0;
  int64_t epochs = 0, steps = 0, updates = 0;  // over all phases
  double flops = 0.0;                          // of all steps: as run.json counts them
  ShareCost shares;
  RamCost ram;
  TrafficCost traffic;
};

// What trainings of the same models on the same rows share. The models and data sets must live as
// long as it does.
struct CostMemo {
  std::map<std::tuple<const Dataset*, int64_t, int64_t, int>, ShareCost> shares;
  std::map<std::pair<const Model*, const Dataset*>, double>
      forward_flops;  // of a pass over all rows
};

// Of one forward pass over all rows. Local.
double forward_flops(const Model& model, const Dataset& data, CostMemo& memo);

// `models` must hold what the phases train. `keeps_best`: there are dev rows, so that best
// weights are kept beside the current ones where they are asked for. Local.
TrainingCost training_cost(const std::vector<Phase>& phases, const Models& models,
                           const Dataset& train, const TrainSettings& settings, int ranks,
                           bool keeps_best, CostMemo& memo);

}  // namespace kdbench
