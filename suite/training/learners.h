// SPDX-License-Identifier: MIT
// The models that learn in a phase, each with its own optimizer and schedule.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/ranks/collectives.h"
#include "suite/ranks/control.h"
#include "suite/training/gradient_reducer.h"
#include "suite/training/optimizer.h"
#include "suite/training/precision.h"
#include "suite/training/schedule.h"
#include "suite/training/train_settings.h"
#include "suite/training/training_state.h"

namespace kdbench {

struct LearningModel {
  Model* model = nullptr;
  std::unique_ptr<GradientReducer> reducer;
  std::unique_ptr<Optimizer> optimizer;
  Schedule schedule;
  LossScale scale{at::kFloat};
  TouchedTokens tokens = nullptr;  // of the step, as the model's tokenizer has them
};

class Learners {
 public:
  // Those of `phase`, which has so many steps, with fresh optimizers; models, control and
  // collectives must outlive them. `obstacle`: as make_gradient_reducer's. Collective.
  Learners(const Phase& phase, int64_t steps, const Models& models, const TrainSettings& settings,
           const Control& control, Collectives& collectives,
           const std::function<void(const std::string&)>& obstacle);

  LearningModel& at(const std::string& role) { return learners_.at(role); }
  auto begin() { return learners_.begin(); }
  auto end() { return learners_.end(); }

  // What a step on these rows of `data` reads is moved to where earlier steps have moved it, or
  // all. Collective.
  void settle(const Dataset& data, const std::vector<int64_t>& rows);
  void settle_all();

  // What they have beside their models' values; all rows are settled. Tensors are the learners' own
  // memory. Collective.
  std::map<std::string, LearnerState> state(Collectives& collectives);
  // Local. Throws a user error where that is the state of others.
  void set_state(const std::map<std::string, LearnerState>& state);

 private:
  std::map<std::string, LearningModel> learners_;  // by role
  // The distinct ones of this step's global batch, as each data set that is read has them.
  std::map<const Dataset*, std::vector<int64_t>> tokens_;
};

}  // namespace kdbench
