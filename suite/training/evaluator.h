// SPDX-License-Identifier: MIT
// How a run scores a model on a split, and by which of its scores it takes the best weights.
#pragma once

#include <map>
#include <string>

#include "io/batches/dataset.h"
#include "io/tasks/task.h"
#include "methods/models/model.h"
#include "suite/ranks/control.h"
#include "suite/training/progress.h"

namespace kdbench {

class Evaluator {
 public:
  virtual ~Evaluator() = default;
  // Scores by name. `where` is the place for errors: "on dev after epoch 2". `seen` is told of this
  // rank's rows as they are done; may be empty. Collective. Throws Error(kRunFailed, on every rank)
  // where outputs are not finite.
  virtual std::map<std::string, double> scores(Model& model, const Dataset& data,
                                               const Control& control, const std::string& where,
                                               const RowsSeen& seen) const = 0;
  // The higher the better.
  virtual double selection_score(const std::map<std::string, double>& scores) const = 0;
};

// A task's metrics of predictions; the best by the task's selection metrics, or by `best_metric`,
// one of the task's, where that is not "auto". The task outlives it.
class TaskEvaluator : public Evaluator {
 public:
  TaskEvaluator(const Task& task, std::string best_metric);
  std::map<std::string, double> scores(Model& model, const Dataset& data, const Control& control,
                                       const std::string& where,
                                       const RowsSeen& seen) const override;
  double selection_score(const std::map<std::string, double>& scores) const override;

 private:
  const Task& task_;
  std::string best_metric_;
};

}  // namespace kdbench
