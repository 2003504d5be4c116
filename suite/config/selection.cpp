// SPDX-License-Identifier: MIT
#include "suite/config/selection.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "io/base/error.h"

namespace kdbench {
namespace {

template <typename T>
bool holds(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool is_called(const MethodSettings& method, const std::string& label) {
  return method.label == label || method.grid == label;
}

// Names that are not among `known`.
void check_names(const std::vector<std::string>& wanted, const std::vector<std::string>& known,
                 const char* flag, const char* what, Problems& problems) {
  for (const auto& name : wanted) {
    if (holds(known, name)) continue;
    problems.add(fmt::format("{} {}", flag, name),
                 fmt::format("the experiment has no such {}", what),
                 did_you_mean(name, known, fmt::format("it has {}", fmt::join(known, ", "))));
  }
}

// A grid is known by its own label too.
std::vector<std::string> labels_of(const Experiment& experiment) {
  std::vector<std::string> labels;
  for (const auto& method : experiment.methods) {
    if (!method.grid.empty() && !holds(labels, method.grid)) labels.push_back(method.grid);
    labels.push_back(method.label);
  }
  return labels;
}

std::vector<int64_t> wanted_seeds(const Selection& selection, const std::vector<int64_t>& seeds) {
  if (selection.seeds.empty()) return seeds;
  std::vector<int64_t> wanted;
  for (const int64_t seed : seeds) {
    if (holds(selection.seeds, seed)) wanted.push_back(seed);
  }
  return wanted;
}

// Of the students, or the teachers, of the tasks and methods that are wanted.
std::set<int64_t> known_seeds(const Selection& selection, const Experiment& experiment,
                              ExperimentPart part) {
  const Selection all_of_them{selection.tasks, selection.methods, {}};
  std::set<int64_t> seeds;
  const auto add = [&](const std::vector<int64_t>& own) { seeds.insert(own.begin(), own.end()); };
  for (const auto& task : selected_tasks(selection, experiment)) {
    if (part == ExperimentPart::kTeachers) {
      add(teacher_seeds(all_of_them, experiment, task));
      continue;
    }
    for (const auto* method : selected_methods(selection, experiment)) {
      add(experiment.train_of(task, *method).seeds);
    }
  }
  return seeds;
}

}  // namespace

void check_selection(const Selection& selection, const Experiment& experiment,
                     ExperimentPart part) {
  Problems problems;
  check_names(selection.tasks, experiment.data.tasks, "--tasks", "task", problems);
  check_names(selection.methods, labels_of(experiment), "--method", "method", problems);
  problems.throw_if_any(experiment.file.string());
  const std::set<int64_t> seeds = known_seeds(selection, experiment, part);
  for (const int64_t seed : selection.seeds) {
    if (seeds.contains(seed)) continue;
    problems.add(
        fmt::format("--seeds {}", seed),
        part == ExperimentPart::kTeachers ? "the experiment has no teacher of that seed"
                                          : "the experiment has no such seed",
        fmt::format("it has {}; --set train.seeds=[...] names others", fmt::join(seeds, ", ")));
  }
  problems.throw_if_any(experiment.file.string());
}

std::vector<std::string> selected_tasks(const Selection& selection, const Experiment& experiment) {
  std::vector<std::string> tasks;
  for (const auto& task : experiment.data.tasks) {
    if (selection.tasks.empty() || holds(selection.tasks, task)) tasks.push_back(task);
  }
  return tasks;
}

std::vector<const MethodSettings*> selected_methods(const Selection& selection,
                                                    const Experiment& experiment) {
  const auto wanted = [&](const MethodSettings& method) {
    return std::any_of(selection.methods.begin(), selection.methods.end(),
                       [&](const std::string& label) { return is_called(method, label); });
  };
  std::vector<const MethodSettings*> methods;
  for (const auto& method : experiment.methods) {
    if (selection.methods.empty() || wanted(method)) methods.push_back(&method);
  }
  return methods;
}

std::vector<int64_t> selected_seeds(const Selection& selection, const Experiment& experiment,
                                    const std::string& task, const MethodSettings& method) {
  return wanted_seeds(selection, experiment.train_of(task, method).seeds);
}

int64_t teacher_seed(const Experiment& experiment, const std::string& task, int64_t student_seed) {
  return experiment.teacher->per_seed ? student_seed
                                      : experiment.teacher_train_of(task).seeds.front();
}

int64_t assistant_seed(const Experiment& experiment, const std::string& task,
                       int64_t student_seed) {
  return experiment.assistant->per_seed ? student_seed
                                        : experiment.assistant_train_of(task).seeds.front();
}

std::vector<int64_t> teacher_seeds(const Selection& selection, const Experiment& experiment,
                                   const std::string& task) {
  std::vector<int64_t> students, seeds;
  for (const auto* method : selected_methods(selection, experiment)) {
    const auto own = experiment.train_of(task, *method).seeds;
    students.insert(students.end(), own.begin(), own.end());
  }
  if (students.empty()) students = experiment.teacher_train_of(task).seeds;
  for (const int64_t student : students) {
    const int64_t seed = teacher_seed(experiment, task, student);
    if (!holds(seeds, seed)) seeds.push_back(seed);
  }
  return wanted_seeds(selection, seeds);
}

}  // namespace kdbench
