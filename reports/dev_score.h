// SPDX-License-Identifier: MIT
// The one number by which runs are chosen on dev: the metric that selects checkpoints.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kdbench {

// What train.best_metric names, else the mean of the task's own selection metrics, on the first dev
// split, of the checkpoint that the run kept. None when the run has no such scores.
std::optional<double> dev_score(const nlohmann::json& run);
// "f1", "mean of pearson and spearman"; empty for a task that is not known.
std::string dev_metric(const nlohmann::json& run);

}  // namespace kdbench
