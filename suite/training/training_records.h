// SPDX-License-Identifier: MIT
// What a training tells of itself: its steps, its evaluations, its result.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace kdbench {

// One optimizer step on one model.
struct UpdateRecord {
  std::string model;  // role
  double loss = 0.0;
  std::vector<std::pair<std::string, double>> terms;
  double learning_rate = 0.0;
  double grad_norm = 0.0;
  bool skipped = false;  // gradients that overflowed: the weights were not moved
};

// One training step (all updates of one batch). phase counts from 1; step restarts per phase.
struct StepRecord {
  int phase = 1;
  std::string phase_name;
  int64_t epoch = 0, step = 0;
  int64_t done_steps = 0, all_steps = 0;  // over all phases
  std::vector<UpdateRecord> updates;
  double step_s = 0.0;
  int64_t samples = 0;
};

// Metrics by split name, then metric name.
using SplitMetrics = std::map<std::string, std::map<std::string, double>>;

struct EvaluationRecord {
  int phase = 1;
  int64_t epoch = 0, step = 0;
  std::string model;  // role
  SplitMetrics metrics;
};

// After the last epoch, and at the model's own best: in the last phase, and in the phases whose
// best weights it began with.
struct Scores {
  SplitMetrics last, best;
  int64_t best_epoch = -1;  // 0-based over all phases
};

// Sums of this run, maximum over ranks (seconds). train is without eval and checkpoint. wait:
// before gradients are summed, for the slower ranks; measured on the CPU, where it is no part of
// comm_exposed.
struct TrainingTimes {
  double train = 0, compute = 0, wait = 0, comm_exposed = 0, data = 0, eval = 0, checkpoint = 0;
};

struct TrainingResult {
  int64_t steps = 0, epochs = 0, samples = 0, tokens = 0;
  double model_flops = 0.0;  // 3 x forward of the learning models on real tokens
  TrainingTimes times;
  Scores student;
  std::map<std::string, Scores> others;   // of the other learning models, by role
  std::map<std::string, int64_t> counts;  // Method::counts over all ranks; "skipped_steps", if any
};

}  // namespace kdbench
