// SPDX-License-Identifier: MIT
#include "suite/stages/student_request.h"

#include <algorithm>
#include <set>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "methods/registry.h"
#include "suite/config/method_models.h"

namespace kdbench {

std::unique_ptr<Method> make_method(const StudentRequest& request) {
  return find_method(request.method->name).make(request.method->options_of(request.task->name));
}

nlohmann::json option_inputs(const StudentRequest& request) {
  const Options options = request.method->options_of(request.task->name);
  nlohmann::json inputs = to_json(options);
  for (const auto& spec : find_method(request.method->name).options) {
    if (!spec.or_file) continue;
    const auto& value = options.get<std::string>(spec.name);
    const auto& words = spec.choices;
    if (std::find(words.begin(), words.end(), value) == words.end()) {
      inputs[spec.name] = file_sha256(value);
    }
  }
  return inputs;
}

ModelShapes request_shapes(const StudentRequest& request) {
  return method_shapes(*request.experiment, *request.method, *request.task);
}

TeacherNeeds student_needs(const StudentRequest& request) {
  return make_method(request)->teacher_needs(request_shapes(request));
}

SourceKind source_kind(const StudentRequest& request) {
  const TeacherNeeds needs = student_needs(request);
  const bool learns = needs.teacher && !request.method->teacher_outputs_file;
  if (learns && needs.from_assistant) return SourceKind::kAssistant;
  const ModelSettings& student = student_of(*request.experiment, *request.method);
  const bool begins_as_teacher = student.init != "random" && student.init_from == "teacher";
  return learns || begins_as_teacher ? SourceKind::kTeacher : SourceKind::kNone;
}

bool trains_assistant(const Experiment& experiment) {
  return experiment.assistant && experiment.assistant->train;
}

bool runs_online(const StudentRequest& request) {
  return request.method->teacher_outputs == "online" && takes_outputs(student_needs(request));
}

std::vector<int64_t> stored_hidden_layers(const TeacherNeeds& needs) {
  std::set<int64_t> layers(needs.hidden_layers.begin(), needs.hidden_layers.end());
  if (needs.memory.centroids > 0 && needs.memory.file.empty()) layers.insert(needs.memory.layer);
  return {layers.begin(), layers.end()};
}

TeacherNeeds shared_needs(const StudentRequest& request) {
  TeacherNeeds all;
  std::set<int64_t> layers, hidden;
  for (const auto& method : request.experiment->methods) {
    if (method.teacher_outputs_file || method.teacher_outputs == "online") continue;
    StudentRequest other = request;
    other.method = &method;
    const TeacherNeeds needs = student_needs(other);
    all.logits |= needs.logits;
    layers.insert(needs.cls_layers.begin(), needs.cls_layers.end());
    for (const int64_t layer : stored_hidden_layers(needs)) hidden.insert(layer);
  }
  all.cls_layers.assign(layers.begin(), layers.end());
  all.hidden_layers.assign(hidden.begin(), hidden.end());
  return all;
}

TeacherNeeds stored_needs(const StudentRequest& request, SourceKind source) {
  return source == SourceKind::kAssistant ? student_needs(request) : shared_needs(request);
}

ModelRequest student_model(const StudentRequest& request, const Teacher* teacher) {
  ModelRequest model;
  model.settings = student_of(*request.experiment, *request.method);
  model.task = request.task;
  model.seed = static_cast<uint64_t>(request.seed);
  model.dropout = request.experiment->train_of(request.task->name, *request.method).dropout;
  model.extra = make_method(request)->extra_parameters(request_shapes(request));
  if (teacher) model.teacher_folder = teacher->folder;
  return model;
}

std::optional<ModelRequest> learning_teacher(const StudentRequest& request,
                                             const Teacher* teacher) {
  const TeacherNeeds needs = student_needs(request);
  if (!needs.trains_teacher) return std::nullopt;
  ModelRequest model;
  model.settings = request.experiment->teacher->model;
  model.task = request.task;
  model.seed = derive_seed(static_cast<uint64_t>(request.seed), kTeacher);
  model.dropout = request.experiment->train_of(request.task->name, *request.method).dropout;
  model.labels = request_shapes(request).student.labels;
  if (!needs.teacher || teacher->folder.empty()) return model;
  model.settings.weights = teacher->folder;
  model.settings.init = "weights";
  return model;
}

void check_same_tokens(const StudentRequest& request, const Features& features,
                       const Features& teacher_features) {
  if (features.hash == teacher_features.hash) return;
  const TeacherNeeds needs = student_needs(request);
  const bool takes_states =
      !request.method->teacher_outputs_file && !stored_hidden_layers(needs).empty();
  if (!takes_states && !needs.trains_teacher) return;
  throw_user_error("method." + request.method->label,
                   request.task->name +
                       (takes_states ? ": takes the teacher's states of every token"
                                     : ": trains both models on the same rows") +
                       ", but the student's tokenizer cuts the rows into other tokens than the "
                       "teacher's",
                   "a student with the teacher's vocabulary");
}

}  // namespace kdbench
