// SPDX-License-Identifier: MIT
#include "suite/config/experiment_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "reports/table.h"

namespace kdbench {
namespace {

constexpr size_t kLabelWidth = 12, kLineWidth = 100;

std::string json_text(const nlohmann::json& value) {
  return value.is_null() ? "(not set)" : value.dump();
}

std::string item(const std::string& key, const nlohmann::json& value) {
  return fmt::format("{} = {}", key, json_text(value));
}

// A label and "key = value" items, on as many lines as they need.
std::string wrapped(const std::string& label, const std::vector<std::string>& items) {
  size_t column = std::max(kLabelWidth, label.size() + 2);
  std::string text = label + std::string(column - label.size(), ' ');
  bool begun = false;
  for (const auto& word : items) {
    if (begun && column + 2 + word.size() > kLineWidth) {
      text.append("\n").append(kLabelWidth, ' ');
      column = kLabelWidth;
      begun = false;
    }
    text += (begun ? "  " : "") + word;
    column += (begun ? 2 : 0) + word.size();
    begun = true;
  }
  return text + "\n";
}

// The plain keys of a table; tables and lists of tables in it have their own lines.
std::vector<std::string> items_of(const nlohmann::json& table) {
  std::vector<std::string> items;
  for (const auto& [key, value] : table.items()) {
    const bool list_of_tables = value.is_array() && !value.empty() && value.front().is_object();
    if (value.is_object() || list_of_tables) continue;
    items.push_back(item(key, value));
  }
  return items;
}

std::string model_text(const std::string& label, const nlohmann::json& model) {
  if (model.is_null()) return wrapped(label, {"none"});
  auto items = items_of(model);
  for (const auto& [key, value] : model.at("sizes").items()) {
    if (!model.contains(key)) items.push_back(item(key, value));
  }
  return wrapped(label, items);
}

std::string method_text(const nlohmann::json& method) {
  std::vector<std::string> items{item("name", method.at("name"))};
  for (const auto& [key, value] : method.at("options").items()) items.push_back(item(key, value));
  const bool from_file = !method.at("teacher_outputs_file").is_null();
  items.push_back(
      item("teacher_outputs", method.at(from_file ? "teacher_outputs_file" : "teacher_outputs")));
  if (method.contains("transfer")) items.push_back(item("transfer", method.at("transfer")));
  const std::string label = method.at("label");
  std::string text =
      wrapped(label == method.at("name").get<std::string>() ? "method" : "method " + label, items);
  if (const auto tasks = method.find("task_options"); tasks != method.end()) {
    for (const auto& [task, options] : tasks->items())
      text += wrapped("  on " + task, items_of(options));
  }
  if (!method.at("student").is_null()) text += model_text("  student", method.at("student"));
  return text;
}

std::string transfer_text(nlohmann::json transfer) {
  const nlohmann::json model = transfer.value("model", nlohmann::json());
  transfer.erase("model");
  std::string text = wrapped("transfer", items_of(transfer));
  return model.is_null() ? text : text + model_text("  model", model);
}

// One training's keys: "MRPC", "kd", {...}.
struct Training {
  std::string task, label;
  nlohmann::json keys;
};

// [transfer.model], or nothing.
nlohmann::json language_model(const nlohmann::json& experiment) {
  return experiment.value("transfer", nlohmann::json::object())
      .value("model", nlohmann::json::object());
}

std::vector<Training> trainings(const nlohmann::json& experiment) {
  std::vector<Training> all;
  for (const auto& task : experiment.at("data").at("tasks")) {
    const std::string name = task.at("name");
    for (const char* role : {"teacher", "assistant"}) {
      const auto model = experiment.value(role, nlohmann::json());
      if (model.is_null() || model.at("train").is_null()) continue;
      all.push_back({name, role, model.at("train").at(name)});
    }
    if (const auto language = language_model(experiment);
        language.contains("train") && !language.at("train").is_null())
      all.push_back({name, "language-model", language.at("train").at(name)});
    for (const auto& method : experiment.at("methods")) {
      all.push_back({name, method.at("label"), method.at("train").at(name)});
    }
  }
  return all;
}

// What all trainings have in common on lines, what differs as a table.
std::string train_text(const std::vector<Training>& all) {
  std::vector<std::string> shared, differing;
  for (const auto& [key, value] : all.front().keys.items()) {
    const bool same = std::all_of(all.begin(), all.end(), [&, &k = key, &v = value](auto& other) {
      return other.keys.at(k) == v;
    });
    same ? shared.push_back(item(key, value)) : differing.push_back(key);
  }
  std::string text = wrapped("train", shared);
  if (differing.empty()) return text;
  Table table;
  table.header = {"task", "method"};
  table.header.insert(table.header.end(), differing.begin(), differing.end());
  for (const auto& training : all) {
    auto& row = table.rows.emplace_back();
    row.push_back(training.task);
    row.push_back(training.label);
    for (const auto& key : differing) row.push_back(json_text(training.keys.at(key)));
  }
  return text + "\n" + write_console(table);
}

}  // namespace

std::string experiment_text(const Experiment& experiment) {
  const nlohmann::json json = experiment.to_json();
  std::string text = wrapped("name", {json.at("name").dump()});
  text += wrapped("data", items_of(json.at("data")));
  for (const auto& task : json.at("data").at("tasks")) text += wrapped("  task", items_of(task));
  text += model_text("teacher", json.at("teacher"));
  if (json.contains("assistant")) text += model_text("assistant", json.at("assistant"));
  text += model_text("student", json.at("student"));
  if (json.contains("transfer")) text += transfer_text(json.at("transfer"));
  for (const auto& method : json.at("methods")) text += method_text(method);
  return text + train_text(trainings(json));
}

}  // namespace kdbench
