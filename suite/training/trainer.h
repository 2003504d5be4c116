// SPDX-License-Identifier: MIT
// The one training loop: runs a method's phases over the training rows on all ranks, evaluates,
// keeps the best weights.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/ranks/collectives.h"
#include "suite/ranks/control.h"
#include "suite/training/evaluator.h"
#include "suite/training/progress.h"
#include "suite/training/train_settings.h"
#include "suite/training/training_records.h"
#include "suite/training/training_state.h"

namespace kdbench {

// What a run trains on. `dev` splits are scored after each epoch (and every eval_steps), for every
// model that learns.
struct TrainingData {
  const Evaluator* evaluator = nullptr;
  const Dataset* train = nullptr;
  std::vector<std::pair<std::string, const Dataset*>> dev;
};

struct Observer {
  std::function<void(const StepRecord&)> step;
  std::function<void(const EvaluationRecord&)> evaluation;
  // What it returns lives while the step does, which is number `done` of `all`, from 0.
  std::function<std::shared_ptr<void>(int64_t done, int64_t all)> around_step;
  // Why the ranks of a host do not share the memory of gradients, though they could.
  std::function<void(const std::string& obstacle)> no_shared_memory;
  // Before a split of so many rows is evaluated: who is told of the rows as they are done.
  std::function<RowsSeen(const std::string& split, int64_t rows)> pass;
};

// How a training is kept, stopped and gone on with. All may be empty.
struct Keeping {
  std::shared_ptr<const TrainingState> begin;  // it goes on from there; given up once it has begun
  // Local. This rank wants training to stop; what one wants all do, after the step under way.
  std::function<bool()> stop;
  // Local; the root's word counts. The state after step `done` of `all` is to be kept.
  std::function<bool(int64_t done, int64_t all)> due;
  // Keeps the state. `stops`: training stops after it. Collective.
  std::function<void(const TrainingState& state, bool stops)> keep;
};

// Collective. On return the student holds the weights that settings.checkpoint asks for. Throws
// Error(kRunFailed, on every rank) when a loss, a logit or a weight is not finite, and
// Error(kStopped, on every rank) when it was stopped. A training that goes on has the same bits as
// one that was never stopped on as many ranks, and differs by rounding on others.
TrainingResult train(Method& method, const Inputs& inputs, const TrainingData& data,
                     const TrainSettings& settings, uint64_t seed, const Control& control,
                     Collectives& collectives, const Observer& observer, Keeping keeping = {});

}  // namespace kdbench
