// SPDX-License-Identifier: MIT
#include "suite/config/resolved_method.h"

#include <algorithm>
#include <set>

#include "io/base/sha256.h"
#include "methods/registry.h"
#include "suite/config/method_models.h"

namespace kdbench {
namespace {

nlohmann::json inputs_of(const Options& options, const MethodEntry& entry) {
  nlohmann::json inputs = to_json(options);
  for (const auto& spec : entry.options) {
    if (!spec.or_file) continue;
    const auto& value = options.get<std::string>(spec.name);
    if (std::find(spec.choices.begin(), spec.choices.end(), value) == spec.choices.end()) {
      inputs[spec.name] = file_sha256(value);
    }
  }
  return inputs;
}

SourceKind source_of(const ResolvedMethod& method) {
  const bool learns = method.needs.teacher && !method.settings->teacher_outputs_file;
  if (learns && method.needs.from_assistant) return SourceKind::kAssistant;
  return learns || method.begins_as_teacher() ? SourceKind::kTeacher : SourceKind::kNone;
}

// Its own, where it goes on from the weights of the fine-tuned teacher.
std::optional<double> dropout_beside(const ResolvedMethod& method) {
  const Experiment& experiment = *method.experiment;
  if (method.train.dropout || !method.needs.teacher || !experiment.teacher->train) {
    return method.train.dropout;
  }
  return experiment.teacher_train_of(method.task->name).dropout;
}

}  // namespace

std::unique_ptr<Method> ResolvedMethod::make() const {
  return find_method(settings->name).make(options);
}

bool ResolvedMethod::begins_as_teacher() const {
  return student->init != "random" && student->init_from == "teacher";
}

ResolvedMethod resolve(const Experiment& experiment, const Task& task,
                       const MethodSettings& method) {
  ResolvedMethod resolved;
  resolved.experiment = &experiment;
  resolved.task = &task;
  resolved.settings = &method;
  resolved.student = &student_of(experiment, method);
  resolved.train = experiment.train_of(task.name, method);
  resolved.options = method.options_of(task.name);
  resolved.option_inputs = inputs_of(resolved.options, find_method(method.name));
  resolved.shapes = method_shapes(experiment, method, task);
  const auto made = resolved.make();
  resolved.needs = made->teacher_needs(resolved.shapes);
  resolved.extra = made->extra_parameters(resolved.shapes);
  resolved.source = source_of(resolved);
  resolved.online = method.teacher_outputs == "online" && resolved.takes_outputs();
  return resolved;
}

InitialModel student_model(const ResolvedMethod& method, int64_t seed) {
  InitialModel model;
  model.settings = *method.student;
  model.config = method.shapes.student;
  model.task = method.task;
  model.seed = static_cast<uint64_t>(seed);
  model.extra = method.extra;
  return model;
}

std::optional<InitialModel> learning_teacher(const ResolvedMethod& method, int64_t seed) {
  if (!method.needs.trains_teacher) return std::nullopt;
  InitialModel model;
  model.settings = method.experiment->teacher->model;
  model.config = *method.shapes.teacher;
  if (const auto dropout = dropout_beside(method)) model.config.set_dropout(*dropout);
  model.config.labels = method.shapes.student.labels;  // the classifier's rows follow
  model.task = method.task;
  model.seed = derive_seed(static_cast<uint64_t>(seed), kTeacher);
  return model;
}

std::vector<int64_t> stored_hidden_layers(const TeacherNeeds& needs) {
  std::set<int64_t> layers(needs.hidden_layers.begin(), needs.hidden_layers.end());
  if (needs.feature_memory.centroids > 0 && needs.feature_memory.file.empty())
    layers.insert(needs.feature_memory.layer);
  return {layers.begin(), layers.end()};
}

}  // namespace kdbench
