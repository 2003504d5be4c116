// SPDX-License-Identifier: MIT
// All that a training needs to go on where it stood: right after a step, before what follows it (an
// evaluation, the next epoch, the next phase). Everything else follows from the settings, the seed
// and the rows.
#pragma once

#include <ATen/ATen.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/weights/safetensors.h"
#include "suite/training/precision.h"
#include "suite/training/training_records.h"

namespace kdbench {

// A model's best so far. The first of equal scores stays.
struct Best {
  double score = -INFINITY;
  std::vector<at::Tensor> state;  // Parameters::state of the student alone, where it is kept
};

// What a model that learns has beside its own state.
struct LearnerState {
  std::vector<at::Tensor> moments;  // Optimizer::moments, of all ranks' parts
  int64_t steps = 0;                // Optimizer::steps
  LossScale::State scale;
};

struct TrainingState {  // maps are by role
  int phase = 0;        // the one under way, from 1
  int64_t step = 0;     // steps done in it; the schedule, the epoch and all draws follow from it
  std::map<std::string, std::vector<at::Tensor>> models;  // Parameters::state of all that learn
  std::map<std::string, LearnerState> learners;           // of the phase
  std::map<std::string, Best> best;
  std::map<std::string, double> method;  // Method::learned
  TrainingResult result;                 // so far
};

// The state's tensors by name, and all else. Both together are the state.
TensorMap tensors_of(const TrainingState& state);
nlohmann::json numbers_of(const TrainingState& state);
// Throws what nlohmann::json throws, or std::out_of_range, where they are no state.
TrainingState make_state(const TensorMap& tensors, const nlohmann::json& numbers);

}  // namespace kdbench
