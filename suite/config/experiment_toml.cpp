// SPDX-License-Identifier: MIT
// Values are written as JSON writes them: texts, numbers, true and false, and lists of these are
// the same in TOML.
#include "suite/config/experiment_toml.h"

#include <algorithm>
#include <set>
#include <vector>

namespace kdbench {
namespace {

using nlohmann::json;

constexpr const char* kTrainAxis = "train.";  // before a training key in a grid's point

std::string line_of(const std::string& key, const json& value) {
  // The one control character that JSON writes as it is.
  std::string text = value.dump();
  for (size_t at = text.find('\x7f'); at != std::string::npos; at = text.find('\x7f', at))
    text.replace(at, 1, "\\u007f");
  return key + " = " + text + "\n";
}

std::string lines_of(const json& keys) {
  std::string text;
  for (const auto& [key, value] : keys.items()) {
    if (!value.is_null()) text += line_of(key, value);
  }
  return text;
}

// A task's name in the name of a table.
std::string table_part(const std::string& name) {
  const char* bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  return name.find_first_not_of(bare) == std::string::npos ? name : json(name).dump();
}

// A table with its keys; nothing without any.
std::string table_of(const std::string& name, const json& keys) {
  const std::string lines = lines_of(keys);
  return lines.empty() ? "" : "[" + name + "]\n" + lines;
}

std::string model_lines(const json& model) {
  json keys = json::object();
  const bool sized = model.at("weights").is_null();
  for (const char* key : {"weights", "tokenizer", "layers"}) keys[key] = model.at(key);
  if (!model.at("architecture").get<std::string>().empty())
    keys["architecture"] = model.at("architecture");
  if (sized) keys.update(model.at("sizes"));
  if (model.contains("vectors")) keys["vectors"] = model.at("vectors");
  keys.update(model.value("choices", json::object()));
  keys["init"] = model.at("init");
  if (model.at("init") != "random") keys["init_from"] = model.at("init_from");
  return lines_of(keys);
}

// The keys of every training, and the tables of the file that give them: [train],
// [task.<TASK>.train], and what single models and methods have otherwise.
class Trainings {
 public:
  explicit Trainings(const json& experiment) : experiment_(experiment) {
    for (const auto& task : experiment.at("data").at("tasks")) tasks_.push_back(task.at("name"));
    for (const char* role : {"teacher", "assistant"}) {
      const auto model = experiment.find(role);
      if (model == experiment.end() || model->is_null() || model->at("train").is_null()) continue;
      models_.push_back(&model->at("train"));
    }
    const auto transfer = experiment.find("transfer");
    if (transfer != experiment.end() && transfer->contains("model") &&
        !transfer->at("model").at("train").is_null())
      models_.push_back(&transfer->at("model").at("train"));
    for (const auto& method : experiment.at("methods")) methods_.push_back(&method.at("train"));
    for (const auto& task : tasks_) shared_[task] = shared_on(task);
  }

  std::string shared_tables() const {
    json all = json::object(), own = json::object();
    for (const auto& key : keys()) {
      const bool same = alike(shared_, key);
      if (same) all[key] = shared_.at(tasks_.front()).at(key);
      for (const auto& task : tasks_) {
        if (!same) own[task][key] = shared_.at(task).at(key);
      }
    }
    std::string text = table_of("train", all);
    for (const auto& [task, keys] : own.items())
      text += table_of("task." + table_part(task) + ".train", keys);
    return text;
  }

  // [teacher.train]: there even without keys.
  std::string model_table(const std::string& role, const json& train) const {
    if (train.is_null()) return "";
    return "[" + role + ".train]\n" + lines_of(differing(train, {}).first);
  }

  // [method.train], which may be empty, and [method.task.<TASK>.train] by task, without the keys
  // that are searched.
  std::pair<json, json> differing(const json& train, const std::set<std::string>& searched) const {
    json all = json::object(), own = json::object();
    for (const auto& key : keys()) {
      if (searched.contains(key)) continue;
      const auto differs = [&](const std::string& task) {
        return train.at(task).at(key) != shared_.at(task).at(key);
      };
      if (std::none_of(tasks_.begin(), tasks_.end(), differs)) continue;
      if (alike(train, key)) {
        all[key] = train.at(tasks_.front()).at(key);
        continue;
      }
      for (const auto& task : tasks_) {
        if (differs(task)) own[task][key] = train.at(task).at(key);
      }
    }
    return {all, own};
  }

 private:
  std::vector<std::string> keys() const {
    std::vector<std::string> names;
    for (const auto& [key, value] : shared_.at(tasks_.front()).items()) names.push_back(key);
    return names;
  }

  // The same on all tasks.
  bool alike(const json& train, const std::string& key) const {
    return std::all_of(tasks_.begin(), tasks_.end(), [&](const std::string& task) {
      return train.at(task).at(key) == train.at(tasks_.front()).at(key);
    });
  }

  // What [train] and [task.<TASK>.train] must say. A key that any training lacks stands in neither;
  // a teacher has no table for a task, so that what differs in it by task comes from there.
  json shared_on(const std::string& task) const {
    std::vector<const json*> all = models_;
    all.insert(all.end(), methods_.begin(), methods_.end());
    json shared = json::object();
    if (all.empty()) return shared;
    for (const auto& [key, value] : all.front()->at(task).items()) {
      const bool lacks = std::any_of(all.begin(), all.end(), [&, &k = key](const json* train) {
        return train->at(task).at(k).is_null();
      });
      const json* from = methods_.empty() ? all.front() : methods_.front();
      for (auto model = models_.rbegin(); model != models_.rend(); ++model) {
        if (!alike(**model, key)) from = *model;
      }
      shared[key] = lacks ? json() : from->at(task).at(key);
    }
    return shared;
  }

  const json& experiment_;
  std::vector<std::string> tasks_;
  std::vector<const json*> models_, methods_;  // their trainings, by task
  json shared_;
};

// The values of a grid's keys at its points, in order of first appearance.
json axes_of(const std::vector<json>& points, const std::string& task) {
  json axes{{"options", json::object()}, {"train", json::object()}};
  for (const auto& point : points) {
    for (const auto& [name, text] : point.at("grid_point").items()) {
      const bool trains = name.starts_with(kTrainAxis);
      const std::string key = trains ? name.substr(std::string(kTrainAxis).size()) : name;
      const json& value = trains ? point.at("train").at(task).at(key) : point.at("options").at(key);
      json& list = axes[trains ? "train" : "options"][key];
      if (list.is_null()) list = json::array();
      if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
    }
  }
  return axes;
}

std::set<std::string> names_of(const json& object) {
  std::set<std::string> names;
  for (const auto& [name, value] : object.items()) names.insert(name);
  return names;
}

// One [[method]]; `points`: those of its grid, or itself.
std::string method_text(const std::vector<json>& points, const Trainings& trainings,
                        const std::string& task, bool transfer) {
  const json& method = points.front();
  const bool grid = !method.at("grid").get<std::string>().empty();
  const json axes = grid ? axes_of(points, task) : axes_of({}, task);
  json keys = method.at("options");
  for (const auto& [key, values] : axes.at("options").items()) keys.erase(key);
  std::string text = "\n[[method]]\n" + line_of("name", method.at("name")) +
                     line_of("label", grid ? method.at("grid") : method.at("label")) +
                     lines_of(keys);
  const bool from_file = !method.at("teacher_outputs_file").is_null();
  text +=
      line_of("teacher_outputs", method.at(from_file ? "teacher_outputs_file" : "teacher_outputs"));
  if (transfer) text += line_of("transfer", method.value("transfer", "none"));
  const auto [all, own] = trainings.differing(method.at("train"), names_of(axes.at("train")));
  text += table_of("method.train", all);
  if (!method.at("student").is_null())
    text += "[method.student]\n" + model_lines(method.at("student"));
  text += table_of("method.grid", axes.at("options"));
  text += table_of("method.grid.train", axes.at("train"));
  const json options = method.value("task_options", json::object());
  for (const auto& [name, values] : options.items())
    text += table_of("method.task." + table_part(name), values);
  for (const auto& [name, values] : own.items())
    text += table_of("method.task." + table_part(name) + ".train", values);
  return text;
}

// [task.<NAME>] of a task that the experiment declares.
json declared_keys(json declaration) {
  const json labels = declaration.at("labels");
  declaration.erase("name");
  if (declaration.at("text_b") == "") declaration.erase("text_b");
  if (labels.empty()) declaration.erase("labels");
  if (std::find(labels.begin(), labels.end(), declaration.at("positive")) == labels.end())
    declaration.erase("positive");
  return declaration;
}

std::string data_text(const json& data) {
  const json& tasks = data.at("tasks");
  json names = json::array();
  for (const auto& task : tasks) names.push_back(task.at("name"));
  std::string text = "[data]\n" + line_of("root", data.at("root")) + line_of("tasks", names), own;
  if (data.contains("label_noise")) text += line_of("label_noise", data.at("label_noise"));
  for (const char* key : {"max_seq_length", "train_limit"})
    text += line_of(key, tasks.front().at(key));
  for (const auto& task : tasks) {
    json keys = json::object();
    for (const char* key : {"max_seq_length", "train_limit"}) {
      if (task.at(key) != tasks.front().at(key)) keys[key] = task.at(key);
    }
    const std::string name = "task." + table_part(task.at("name"));
    if (const auto declaration = task.find("declaration"); declaration != task.end())
      own += table_of(name, declared_keys(*declaration));
    own += table_of(name + ".data", keys);
  }
  return text + own;
}

std::string transfer_tables(json transfer, const Trainings& trainings) {
  const json model = transfer.value("model", json());
  transfer.erase("model");
  std::string text = table_of("transfer", transfer);
  if (!model.is_null()) {
    text += "[transfer.model]\n" + model_lines(model) +
            trainings.model_table("transfer", model.at("train"));
  }
  return text;
}

}  // namespace

std::string experiment_toml(const json& resolved) {
  const Trainings trainings(resolved);
  const std::string task = resolved.at("data").at("tasks").front().at("name");
  std::string text = line_of("name", resolved.at("name")) + "\n" + data_text(resolved.at("data"));
  for (const char* role : {"teacher", "assistant"}) {
    const json model = resolved.value(role, json());
    if (model.is_null()) continue;
    text += std::string("\n[") + role + "]\n" + model_lines(model) +
            line_of("per_seed", model.at("per_seed")) +
            (model.contains("train_limit") ? line_of("train_limit", model.at("train_limit")) : "") +
            trainings.model_table(role, model.at("train"));
  }
  if (!resolved.at("student").is_null())
    text += "\n[student]\n" + model_lines(resolved.at("student"));
  if (resolved.contains("transfer"))
    text += "\n" + transfer_tables(resolved.at("transfer"), trainings);
  text += "\n" + trainings.shared_tables();
  const json& methods = resolved.at("methods");
  for (size_t begin = 0; begin < methods.size();) {
    const json& grid = methods[begin].at("grid");
    std::vector<json> points{methods[begin]};
    size_t end = begin + 1;
    for (; grid != "" && end < methods.size() && methods[end].at("grid") == grid; ++end)
      points.push_back(methods[end]);
    text += method_text(points, trainings, task, resolved.contains("transfer"));
    begin = end;
  }
  return text;
}

}  // namespace kdbench
