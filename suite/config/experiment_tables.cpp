// SPDX-License-Identifier: MIT
// [data], [task.<TASK>.*] and every [..train].
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "io/base/look.h"
#include "io/base/text.h"
#include "io/synthetic/synthetic.h"
#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// [CLS] a [SEP] b [SEP]
constexpr double kShortestPair = 5;
constexpr Range kRowLengths{.low = kShortestPair, .high = 1 << 20};

// Test files may be missing (they are only predicted), and all dev files but one.
void check_files(TableReader& table, const fs::path& root, const Task& task) {
  const auto missing = [&](const std::string& split) {
    return !is_file(glue_path(root, task, split));
  };
  const std::string hint = "GLUE layout: <root>/<TASK>/{train,dev,test}.tsv";
  if (missing("train")) {
    table.problem("tasks", "no file " + glue_path(root, task, "train").string(), hint);
  }
  const auto dev = task.dev_splits();
  if (std::all_of(dev.begin(), dev.end(), missing)) {
    table.problem("tasks", "no file " + glue_path(root, task, dev.front()).string(), hint);
  }
}

void check_corpus(TableReader& table, const Task& task) {
  const auto known = synthetic_tasks();
  if (std::find(known.begin(), known.end(), task.name) != known.end()) return;
  table.problem(
      "tasks", "there is no synthetic corpus for " + task.name,
      "there are " + joined(known, ", ") + "; other tasks need data.root = a GLUE folder");
}

void check_tasks(TableReader& table, const DataSettings& data) {
  bool root_there = false;
  table.collect("root", [&] {
    root_there = !data.root.empty() && is_folder(data.root);
    if (!data.root.empty() && !root_there) table.problem("root", "no folder " + data.root.string());
  });
  std::set<std::string> seen;
  for (const auto& name : data.tasks) {
    const Task* task = task_or_problem(table, "tasks", name);
    if (!seen.insert(name).second) table.problem("tasks", "'" + name + "' is listed twice");
    if (!task) continue;
    if (task->splits.front().name != "train") {
      table.problem("tasks", name + " is GLUE's diagnostic set: it has no training rows",
                    "tasks = [\"MNLI\"] predicts it too when its file is there");
    } else if (data.synthetic) {
      check_corpus(table, *task);
    } else if (root_there) {
      table.collect("tasks", [&] { check_files(table, data.root, *task); });
    }
  }
}

}  // namespace

const Task* task_or_problem(TableReader& table, const std::string& key, const std::string& name) {
  try {
    return &find_task(name);
  } catch (const Error& error) {
    table.problem(key, error.message(), error.hint());
    return nullptr;
  }
}

TrainLayer read_train(TableReader table) {
  TrainLayer layer;
  for (const auto& key : train_keys()) {
    const std::string& name = key.spec.name;
    const toml::node* node = table.node(name);
    if (!node) continue;
    const auto value = read_option(key.spec, *node, table.key(name), table.problems());
    if (value) layer[name] = *value;
  }
  table.finish();
  return layer;
}

void check_on_task(const Experiment& experiment, const Task& task, const ModelConfig& model,
                   const TrainSettings& train, const std::string& place, Problems& problems) {
  const int64_t length = experiment.max_seq_length_of(task.name);
  if (length > model.longest_row()) {
    problems.add(place, fmt::format("{}: max_seq_length {} is more than a model's {} positions",
                                    task.name, length, model.longest_row()));
  }
  const bool reported = std::any_of(task.metrics.begin(), task.metrics.end(), [&](Metric known) {
    return metric_name(known) == train.best_metric;
  });
  if (train.best_metric == "auto" || reported) return;
  problems.add(place, task.name + " has no metric '" + train.best_metric + "'",
               "best_metric = \"auto\", or set it in [task." + task.name + ".train]");
}

DataSettings read_data(TableReader table) {
  DataSettings data;
  const toml::node* root = table.node("root");
  data.synthetic = root && root->is_string() && **root->as_string() == "synthetic";
  if (!data.synthetic) data.root = table.path("root").value_or("");
  data.tasks = table.texts("tasks").value_or(std::vector<std::string>{});
  if (!table.has("root"))
    table.problem("root", "is missing", "the folder with the GLUE data, or \"synthetic\"");
  if (!table.has("tasks")) {
    table.problem("tasks", "is missing", "for example tasks = [\"MRPC\"]");
  } else if (table.node("tasks")->is_array() && table.node("tasks")->as_array()->empty()) {
    table.problem("tasks", "expected at least one task");
  }
  data.max_seq_length = table.integer("max_seq_length", kRowLengths).value_or(data.max_seq_length);
  data.train_limit = table.integer("train_limit", at_least(0)).value_or(data.train_limit);
  check_tasks(table, data);
  table.finish();
  return data;
}

void read_tasks(TableReader table, Experiment& experiment) {
  for (const auto& name : table.names()) {
    auto task = table.table(name);
    if (!task || !task_or_problem(table, name, name)) continue;
    if (auto train = task->table("train")) experiment.task_train[name] = read_train(*train);
    if (auto data = task->table("data")) {
      if (const auto length = data->integer("max_seq_length", kRowLengths)) {
        experiment.data.max_seq_length_of[name] = *length;
      }
      if (const auto limit = data->integer("train_limit", at_least(0))) {
        experiment.data.train_limit_of[name] = *limit;
      }
      data->finish();
    }
    task->finish();
  }
}

}  // namespace kdbench
