// SPDX-License-Identifier: MIT
// What a run is made from, read and built: models, method, rows, and what its source gives.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "io/batches/dataset.h"
#include "suite/stages/runs/learner.h"
#include "suite/stages/sources/source.h"
#include "suite/training/trainer.h"

namespace kdbench {

struct RunParts {
  std::map<std::string, std::unique_ptr<Model>> models;  // by role: kStudent is predicted and saved
  std::unique_ptr<Method> method;                        // null: the model is scored as it is
  SourceOutputs source;
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Dataset>
      train;  // with what the source says of its rows; null: nothing is learned
  // The task's other splits: of which predictions are wanted, or scores alone.
  std::map<std::string, std::unique_ptr<Dataset>> predicted, scored;

  Model& student() const { return *models.at(kStudent); }
  Models learners() const;
  TrainingData training(const Task& task) const;
};

// Whose needs are done. Collective.
RunParts read_parts(const Learner& learner, const Workspace& workspace);

}  // namespace kdbench
