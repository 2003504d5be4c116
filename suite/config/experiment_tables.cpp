// SPDX-License-Identifier: MIT
// [data] and every [..train].
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "io/base/look.h"
#include "io/base/text.h"
#include "io/synthetic/synthetic.h"
#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "methods/models/registry.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"
#include "suite/training/precision.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSyntheticRoot = "synthetic";

// Test files may be missing (they are only predicted), and all dev files but one.
void check_files(TableReader& table, const fs::path& root, const Task& task) {
  const auto missing = [&](const std::string& split) {
    return !is_file(glue_path(root, task, split));
  };
  const std::string hint = "GLUE layout: <root>/<TASK>/{train,dev,test}.tsv";
  if (missing(kTrainSplit)) {
    table.problem("tasks", "no file " + glue_path(root, task, kTrainSplit).string(), hint);
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

void check_tasks(TableReader& table, const DataSettings& data,
                 const std::vector<std::string>& wanted) {
  const auto is_wanted = [&](const std::string& name) {
    return wanted.empty() || std::find(wanted.begin(), wanted.end(), name) != wanted.end();
  };
  bool root_there = false;
  table.collect("root", [&] {
    root_there = !data.root.empty() && is_folder(data.root);
    if (!data.root.empty() && !root_there) table.problem("root", "no folder " + data.root.string());
  });
  std::set<std::string> seen;
  for (const auto& name : data.tasks) {
    const Task* task = task_or_problem(table, "tasks", name, data.own_tasks);
    if (!seen.insert(name).second) table.problem("tasks", "'" + name + "' is listed twice");
    if (!task) continue;
    if (!task->has_training_rows()) {
      table.problem("tasks", name + " is GLUE's diagnostic set: it has no training rows",
                    "tasks = [\"MNLI\"] predicts it too when its file is there");
    } else if (data.synthetic) {
      check_corpus(table, *task);
    } else if (root_there && is_wanted(name)) {
      table.collect("tasks", [&] { check_files(table, data.root, *task); });
    }
  }
}

}  // namespace

const Task* task_or_problem(TableReader& table, const std::string& key, const std::string& name,
                            const OwnTasks& own) {
  try {
    return &find_task(name, own);
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
  if (type_of(train.precision) != at::kFloat &&
      !find_architecture(model.architecture).low_precision) {
    problems.add(place,
                 fmt::format("{}: precision = \"{}\": {} computes in fp32 alone", task.name,
                             train.precision, model.architecture),
                 "set precision = \"fp32\" for this method in [method.train]");
  }
  const bool reported = std::any_of(task.metrics.begin(), task.metrics.end(), [&](Metric known) {
    return metric_name(known) == train.best_metric;
  });
  if (train.best_metric == "auto" || reported) return;
  problems.add(place, task.name + " has no metric '" + train.best_metric + "'",
               "best_metric = \"auto\", or set it in [task." + task.name + ".train]");
}

void read_data(TableReader table, DataSettings& data, const std::vector<std::string>& wanted) {
  const OptionValues values = read_options(data_keys(), table);
  take(values, "root", data.root);
  data.synthetic = data.root == kSyntheticRoot;
  if (data.synthetic) data.root.clear();
  take(values, "tasks", data.tasks);
  take(values, "max_seq_length", data.max_seq_length);
  take(values, "train_limit", data.train_limit);
  take(values, "label_noise", data.label_noise);
  if (data.label_noise > 0 && !data.synthetic)
    table.problem("label_noise", "is of root = \"synthetic\": other labels are as they are");
  if (!table.has("root"))
    table.problem("root", "is missing", "the folder with the GLUE data, or \"synthetic\"");
  if (!table.has("tasks")) {
    table.problem("tasks", "is missing", "for example tasks = [\"MRPC\"]");
  } else if (values.contains("tasks") && data.tasks.empty()) {
    table.problem("tasks", "expected at least one task");
  }
  check_tasks(table, data, wanted);
  table.finish();
}

}  // namespace kdbench
