// SPDX-License-Identifier: MIT
#include "suite/training/evaluator.h"

#include <utility>

#include "suite/training/evaluation.h"
#include "suite/training/metrics.h"

namespace kdbench {

TaskEvaluator::TaskEvaluator(const Task& task, std::string best_metric)
    : task_(task), best_metric_(std::move(best_metric)) {}

std::map<std::string, double> TaskEvaluator::scores(Model& model, const Dataset& data,
                                                    const Control& control,
                                                    const std::string& where,
                                                    const RowsSeen& seen) const {
  return task_metrics(task_, predict(model, data, control, where, seen));
}

double TaskEvaluator::selection_score(const std::map<std::string, double>& scores) const {
  return best_metric_ == "auto" ? kdbench::selection_score(task_, scores) : scores.at(best_metric_);
}

}  // namespace kdbench
