// SPDX-License-Identifier: MIT
// [[method]]: its options, its grid, its own training keys and student.
#include <algorithm>

#include "io/error.h"
#include "methods/registry.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"
#include "suite/training/model_setup.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// The registry's entry, or null with a problem at the method's name.
const MethodEntry* find_entry(TableReader& table) {
  const auto name = table.text("name");
  if (!name) {
    if (!table.has("name")) table.problem("name", "is missing", "`kdbench methods` lists them");
    return nullptr;
  }
  try {
    return &find_method(*name);
  } catch (const Error& error) {
    table.problem("name", error.message() + ": '" + *name + "'", error.hint());
    return nullptr;
  }
}

void read_teacher_outputs(TableReader& table, MethodSettings& method) {
  const auto text = table.text("teacher_outputs");
  if (!text) return;
  if (*text == "online") {
    table.problem("teacher_outputs", "\"online\" is not available yet", "\"store\" keeps them");
  } else if (*text == "auto" || *text == "store") {
    method.teacher_outputs = *text;
  } else {
    method.teacher_outputs = "file";
    method.teacher_outputs_file = table.path("teacher_outputs");
    if (method.teacher_outputs_file && !fs::is_regular_file(*method.teacher_outputs_file)) {
      table.problem("teacher_outputs", "no file " + method.teacher_outputs_file->string(),
                    "\"auto\", \"store\", or a teacher store or safetensors file");
    }
  }
}

std::string point_label(const std::string& label, const std::map<std::string, std::string>& point) {
  if (point.empty()) return label;
  std::string text;
  for (const auto& [key, value] : point) text += (text.empty() ? "" : ",") + key + "=" + value;
  return label + "[" + text + "]";
}

// One copy of `base` for each grid point.
std::vector<MethodSettings> expand(const MethodSettings& base,
                                   const std::map<std::string, OptionValue>& options,
                                   const std::vector<GridAxis>& axes) {
  std::vector<MethodSettings> methods;
  for (const auto& point : grid_points(axes)) {
    MethodSettings method = base;
    auto values = options;
    for (const auto& [key, value] : point) {
      values[key] = value;
      method.grid_point[key] = value_text(value);
    }
    method.options = Options(std::move(values));
    method.label = point_label(base.label, method.grid_point);
    methods.push_back(std::move(method));
  }
  return methods;
}

// The method's shapes on one task; `place` for sizes that are missing.
std::optional<ModelShapes> shapes_of(const Experiment& experiment, const MethodSettings& method,
                                     const Task& task, Problems& problems) {
  const ModelSettings* student = method.student       ? &*method.student
                                 : experiment.student ? &*experiment.student
                                                      : nullptr;
  if (!student) return std::nullopt;
  std::optional<ModelShapes> shapes;
  problems.collect([&] {
    ModelShapes found;
    found.student = resolve_config(*student, task, experiment.train_of(task.name, method).dropout);
    if (experiment.teacher) {
      found.teacher = resolve_config(experiment.teacher->model, task, std::nullopt);
    }
    found.outputs = task.classes();
    shapes = std::move(found);
  });
  return shapes;
}

void check_task(const Experiment& experiment, const MethodSettings& method, const Task& task,
                const std::string& place, Problems& problems) {
  const auto shapes = shapes_of(experiment, method, task, problems);
  if (!shapes) return;
  problems.collect([&] {
    const auto made = find_method(method.name).make(method.options);
    const TeacherNeeds needs = made->teacher_needs(*shapes);
    if (needs.teacher && !shapes->teacher && !method.teacher_outputs_file) {
      throw_user_error(place, "method '" + method.name + "' needs a teacher", "add [teacher]");
    }
    made->validate(*shapes);
  });
  const int64_t length = experiment.max_seq_length_of(task.name);
  for (const auto* config : {&shapes->student, shapes->teacher ? &*shapes->teacher : nullptr}) {
    if (!config || length <= config->max_positions) continue;
    problems.add(place, task.name + ": max_seq_length " + std::to_string(length) +
                            " is more than a model's " + std::to_string(config->max_positions) +
                            " positions");
  }
  const std::string metric = experiment.train_of(task.name, method).best_metric;
  const bool reported = std::any_of(task.metrics.begin(), task.metrics.end(),
                                    [&](Metric known) { return metric_name(known) == metric; });
  if (metric != "auto" && !reported) {
    problems.add(place, task.name + " has no metric '" + metric + "'",
                 "best_metric = \"auto\", or set it in [task." + task.name + ".train]");
  }
}

}  // namespace

std::vector<MethodSettings> read_method(TableReader table, const Experiment& experiment) {
  MethodSettings base;
  const MethodEntry* entry = find_entry(table);
  if (!entry) return {};
  base.name = entry->name;
  base.label = table.text("label").value_or(base.name);
  table.set_key("method." + base.label);
  check_name(table, "label", base.label);
  if (base.label == kTeacher) table.problem("label", "\"teacher\" is the teacher's own label");
  read_teacher_outputs(table, base);
  const auto options = read_options(entry->options, table);
  std::vector<GridAxis> axes;
  if (auto grid = table.table("grid")) axes = read_grid(entry->options, *grid);
  if (auto train = table.table("train")) base.train = read_train(*train);
  if (auto student = table.table("student")) {
    base.student = read_student(*student, experiment.data,
                                experiment.teacher ? &*experiment.teacher : nullptr);
  }
  table.finish();
  return expand(base, options, axes);
}

void check_method(const Experiment& experiment, const MethodSettings& method,
                  const std::string& place, Problems& problems) {
  for (const auto& name : experiment.data.tasks) {
    check_task(experiment, method, find_task(name), place, problems);
  }
}

}  // namespace kdbench
