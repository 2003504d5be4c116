// SPDX-License-Identifier: MIT
#include "io/tasks/own_task.h"

#include "io/base/error.h"

namespace kdbench {

Task make_task(const OwnTask& own) {
  FileLayout labelled;
  labelled.names = own.columns;
  FileLayout test = labelled;
  test.label_optional = true;
  Task task;
  task.name = own.name;
  task.labels = own.labels;
  task.metrics = own.metrics;
  task.selection = {own.metrics.front()};
  task.splits = {{"train", labelled}, {"dev", labelled}, {"test", test}};
  task.positive = own.positive;
  task.scores = {};
  task.own = true;
  return task;
}

nlohmann::json declaration(const Task& task) {
  if (!task.own) return {};
  const Columns& columns = task.splits.front().layout.names;
  nlohmann::json metrics = nlohmann::json::array();
  for (const Metric metric : task.metrics) metrics.push_back(metric_name(metric));
  return {{"name", task.name},      {"text_a", columns.text_a}, {"text_b", columns.text_b},
          {"label", columns.label}, {"labels", task.labels},    {"positive", task.positive},
          {"metrics", metrics}};
}

std::shared_ptr<const Task> declared_task(const nlohmann::json& declaration,
                                          const std::string& where) {
  try {
    OwnTask own;
    declaration.at("name").get_to(own.name);
    declaration.at("text_a").get_to(own.columns.text_a);
    declaration.at("text_b").get_to(own.columns.text_b);
    declaration.at("label").get_to(own.columns.label);
    declaration.at("labels").get_to(own.labels);
    declaration.at("positive").get_to(own.positive);
    for (const std::string name : declaration.at("metrics")) {
      if (const auto metric = find_metric(name)) own.metrics.push_back(*metric);
    }
    if (!own.metrics.empty()) return std::make_shared<const Task>(make_task(own));
  } catch (const nlohmann::json::exception&) {
  }
  throw_user_error(where, "does not declare a task as kdbench writes it");
}

}  // namespace kdbench
