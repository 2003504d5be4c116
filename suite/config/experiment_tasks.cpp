// SPDX-License-Identifier: MIT
// [task.<TASK>]: tasks of the user's own, and what is said of one task's data and training.
#include <algorithm>
#include <set>

#include "io/tasks/own_task.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

bool is_glue(const std::string& name) {
  const auto& all = all_tasks();
  return std::any_of(all.begin(), all.end(), [&](const Task& task) { return task.name == name; });
}

// The table says more than what one may say of any task.
bool declares(TableReader& table) {
  const auto names = table.names();
  return std::any_of(names.begin(), names.end(),
                     [](const std::string& name) { return name != "train" && name != "data"; });
}

void check_labels(TableReader& table, const OwnTask& task) {
  const std::set<std::string> distinct(task.labels.begin(), task.labels.end());
  if (table.has("labels") && task.labels.size() < 2)
    table.problem("labels", "expected at least two", "leave the key out where they are scores");
  if (distinct.size() != task.labels.size()) table.problem("labels", "a label is listed twice");
  if (distinct.contains("")) table.problem("labels", "a label is empty");
}

void check_metrics(TableReader& table, const OwnTask& task) {
  const bool scores = task.labels.empty();
  for (const Metric metric : task.metrics) {
    const bool of_scores = metric == Metric::kPearson || metric == Metric::kSpearman;
    if (of_scores == scores) continue;
    table.problem("metrics", metric_name(metric) + " is a metric of " +
                                 (of_scores ? "scores, not of labels" : "labels, not of scores"));
  }
  const auto is_label = std::count(task.labels.begin(), task.labels.end(), task.positive) > 0;
  const auto f1 = std::count(task.metrics.begin(), task.metrics.end(), Metric::kF1) > 0;
  if (is_label || (!f1 && !table.has("positive"))) return;
  table.problem("positive",
                table.has("positive") ? "'" + task.positive + "' is none of labels" : "is missing",
                "the label that F1 is about");
}

std::vector<Metric> metrics_of(const OptionValues& values, bool scores) {
  std::vector<std::string> names;
  take(values, "metrics", names);
  std::vector<Metric> metrics;
  for (const auto& name : names) metrics.push_back(*find_metric(name));
  if (!metrics.empty()) return metrics;
  if (scores) return {Metric::kPearson, Metric::kSpearman};
  return {Metric::kAccuracy};
}

// The task that the table declares. One that is wrong is known all the same: nothing else is said
// of it.
std::shared_ptr<const Task> read_declaration(TableReader& table, const std::string& name) {
  const size_t before = table.problems().lines().size();
  const OptionValues values = read_options(own_task_keys(), table);
  OwnTask task;
  task.name = name;
  take(values, "text_a", task.columns.text_a);
  take(values, "text_b", task.columns.text_b);
  take(values, "label", task.columns.label);
  for (const char* key : {"text_a", "label"}) {
    if (!table.has(key)) table.problem(key, "is missing", "the name of a column in the files");
  }
  take(values, "labels", task.labels);
  task.positive = "1";
  take(values, "positive", task.positive);
  task.metrics = metrics_of(values, task.labels.empty());
  if (table.problems().lines().size() == before) {
    check_labels(table, task);
    check_metrics(table, task);
  }
  return std::make_shared<const Task>(make_task(task));
}

void read_task(TableReader& table, const std::string& name, Experiment& experiment) {
  if (auto train = table.table("train")) experiment.task_train[name] = read_train(*train);
  if (auto data = table.table("data")) {
    const OptionValues values = read_options(task_data_keys(), *data);
    if (values.contains("max_seq_length"))
      take(values, "max_seq_length", experiment.data.max_seq_length_of[name]);
    if (values.contains("train_limit"))
      take(values, "train_limit", experiment.data.train_limit_of[name]);
    data->finish();
  }
  table.finish();
}

}  // namespace

void read_tasks(TableReader table, Experiment& experiment) {
  std::vector<std::pair<std::string, TableReader>> tables;
  for (const auto& name : table.names()) {
    auto task = table.table(name);
    if (!task) continue;
    if (declares(*task) && !is_glue(name)) {
      check_name(table, name, name);
      experiment.data.own_tasks.push_back(read_declaration(*task, name));
    }
    tables.emplace_back(name, *task);
  }
  for (auto& [name, task] : tables) {
    if (task_or_problem(table, name, name, experiment.data.own_tasks))
      read_task(task, name, experiment);
  }
}

}  // namespace kdbench
