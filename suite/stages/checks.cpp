// SPDX-License-Identifier: MIT
#include "suite/stages/checks.h"

#include <algorithm>
#include <set>

#include "suite/config/method_models.h"
#include "suite/stages/student_request.h"

namespace kdbench {
namespace {

// Some method takes what that model is in the end. ProKT's teacher need not be ready: it learns.
bool uses_finished(const Experiment& experiment, SourceKind model) {
  const Task& task = find_task(experiment.data.tasks.front());
  return std::any_of(experiment.methods.begin(), experiment.methods.end(), [&](const auto& method) {
    if (!has_student(experiment, method)) return false;
    const SourceKind source = source_kind({&experiment, &task, &method, 1});
    const bool through_assistant =
        source == SourceKind::kAssistant && model == SourceKind::kTeacher;
    return source == model || (through_assistant && trains_assistant(experiment));
  });
}

}  // namespace

void check_models(const Experiment& experiment, Problems& problems) {
  std::vector<const Task*> tasks;
  for (const auto& name : experiment.data.tasks) tasks.push_back(&find_task(name));
  const ModelSettings* teacher = experiment.teacher ? &experiment.teacher->model : nullptr;
  const auto check = [&](const ModelSettings& model, bool frozen) {
    problems.collect([&] { check_model(model, teacher, frozen, tasks); });
  };
  const auto check_source = [&](const TeacherSettings& source, SourceKind kind) {
    bool used = false;
    problems.collect([&] { used = uses_finished(experiment, kind); });
    check(source.model, used && !source.train);
  };
  if (experiment.teacher) check_source(*experiment.teacher, SourceKind::kTeacher);
  if (experiment.assistant) check_source(*experiment.assistant, SourceKind::kAssistant);
  if (experiment.student) check(*experiment.student, false);
  for (const auto& method : experiment.methods) {
    if (method.student) check(*method.student, false);
  }
}

void throw_each_once(const Problems& problems, const std::string& where) {
  Problems unique;
  std::set<std::string> listed;
  for (const auto& line : problems.lines()) {
    if (listed.insert(line).second) unique.add("", line);
  }
  unique.throw_if_any(where);
}

}  // namespace kdbench
