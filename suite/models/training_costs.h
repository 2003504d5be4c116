// SPDX-License-Identifier: MIT
// What the trainings of an experiment take, each worked out once: from models without values, the
// real rows and the functions that the trainer uses.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "io/stores/feature_store.h"
#include "methods/method.h"
#include "suite/models/build_model.h"
#include "suite/training/training_cost.h"

namespace kdbench {

// One training, or the scoring of a model as it is.
struct TrainingOutline {
  std::map<std::string, InitialModel> models;       // by role
  std::function<std::unique_ptr<Method>()> method;  // null: the model is scored as it is
  const FeatureStore* rows = nullptr;               // of the task
  std::shared_ptr<const FeatureSplit> train;        // what is learned from
  std::shared_ptr<const FeatureSplit>
      teacher_train;  // as a teacher that learns too reads it, or null
  TrainSettings settings;
};

// Of one training, the same for all of its seeds.
struct TrainingSummary {
  int64_t parameters = 0;  // of the student
  TrainingCost cost;       // no phases: the model is scored as it is
};

// Local. Models and data sets are kept: what differs in a method's options alone shares them.
class TrainingCosts {
 public:
  explicit TrainingCosts(int ranks) : ranks_(ranks) {}

  int ranks() const { return ranks_; }
  // A model's sizes, on the meta device.
  Model& outline(const InitialModel& initial);
  // `name`: what tells this training from others, whatever its seed.
  const TrainingSummary& summary(const std::string& name, const TrainingOutline& training);
  // Of one forward pass over all rows of the split.
  double forward_flops(const InitialModel& model, const std::shared_ptr<const FeatureSplit>& rows);

 private:
  // As `model` reads them.
  const Dataset& dataset(const std::shared_ptr<const FeatureSplit>& rows, const Model& model,
                         const std::shared_ptr<const FeatureSplit>& teacher_rows = nullptr);

  int ranks_;
  CostMemo memo_;
  std::map<std::string, std::unique_ptr<Model>> outlines_;
  using SplitPointer = std::shared_ptr<const FeatureSplit>;
  std::map<std::tuple<SplitPointer, SplitPointer, std::vector<std::string>>,
           std::unique_ptr<Dataset>>
      datasets_;
  std::map<std::string, TrainingSummary> summaries_;
};

// Of the model's values in memory.
int64_t values_bytes(const Model& model);

}  // namespace kdbench
