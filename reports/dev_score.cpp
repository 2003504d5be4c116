// SPDX-License-Identifier: MIT
#include "reports/dev_score.h"

#include "io/base/text.h"
#include "io/tasks/task.h"
#include "reports/run_fields.h"

namespace kdbench {
namespace {

using nlohmann::json;

std::vector<std::string> selection_metrics(const json& run) {
  const std::string wanted = text_of(run, "inputs/train/best_metric");
  if (!wanted.empty() && wanted != "auto") return {wanted};
  std::vector<std::string> names;
  const json::json_pointer own("/data/declaration/metrics/0");
  if (run.contains(own) && run.at(own).is_string()) return {run.at(own)};
  const std::string name = text_of(run, "task");
  for (const Task& task : all_tasks()) {
    if (task.name != name) continue;
    for (const Metric metric : task.selection) names.push_back(metric_name(metric));
  }
  return names;
}

}  // namespace

std::optional<double> dev_score(const json& run) {
  const auto scores = metrics_of(run);
  const auto names = selection_metrics(run);
  double sum = 0;
  for (const auto& name : names) {
    const auto found = scores.find(name);
    if (found == scores.end()) return std::nullopt;
    sum += found->second;
  }
  if (names.empty()) return std::nullopt;
  return sum / static_cast<double>(names.size());
}

std::string dev_metric(const json& run) {
  const auto names = selection_metrics(run);
  return (names.size() > 1 ? "mean of " : "") + joined(names, " and ");
}

}  // namespace kdbench
