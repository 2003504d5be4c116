// SPDX-License-Identifier: MIT
// What one training will do on a number of ranks, in figures, from the same functions that the
// trainer uses. Models may lie on the meta device: nothing is computed with them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/training/train_settings.h"

namespace kdbench {

struct PhasePlan {
  std::string name;
  int64_t epochs = 0, steps = 0;
  int64_t updates = 0;  // optimizer steps, of all models that learn
};

// How the global batches of one epoch, taken in file order, divide over the ranks.
struct SharePlan {
  int64_t fewest_rows = 0, most_rows = 0;  // of a rank in a step
  int64_t largest_pass = 0;                // tokens of one forward pass of one rank, at most
  double balance = 1.0;  // work (tokens) over what the fullest rank of each step makes all wait for
};

// Bytes of one rank while it trains. Activations are an estimate.
struct MemoryPlan {
  int64_t values = 0, gradients = 0, moments = 0, best = 0, activations = 0;
  int64_t total() const { return values + gradients + moments + best + activations; }
};

// What a rank hands to the collectives in a step; nothing with one rank.
struct TrafficPlan {
  int64_t allreduces = 0;  // gradient buckets, and the losses of each update
  int64_t gradient_bytes = 0;
};

struct TrainingPlan {
  std::vector<PhasePlan> phases;
  int64_t rows = 0, batch_size = 0, steps_per_epoch = 0;
  int64_t epochs = 0, steps = 0, updates = 0;  // over all phases
  double flops = 0.0;                          // of all steps: as run.json counts them
  SharePlan shares;
  MemoryPlan memory;
  TrafficPlan traffic;
};

// `models` must hold what the phases train. `keeps_best`: there are dev rows, so that best
// weights are kept beside the current ones where they are asked for. Local, pure.
TrainingPlan plan_training(const std::vector<Phase>& phases, const Models& models,
                           const Dataset& train, const TrainSettings& settings, int ranks,
                           bool keeps_best);

}  // namespace kdbench
