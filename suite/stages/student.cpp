// SPDX-License-Identifier: MIT
#include "suite/stages/student.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "io/dataset.h"
#include "io/error.h"
#include "io/sha256.h"
#include "methods/registry.h"
#include "suite/config/method_models.h"
#include "suite/stages/memory.h"
#include "suite/stages/run_place.h"
#include "suite/stages/teacher_outputs.h"
#include "suite/training/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kRunVersion = 1;

// A memory is trained from stored states too.
std::set<int64_t> stored_hidden_layers(const TeacherNeeds& needs) {
  std::set<int64_t> layers(needs.hidden_layers.begin(), needs.hidden_layers.end());
  if (needs.memory.centroids > 0 && needs.memory.file.empty()) layers.insert(needs.memory.layer);
  return layers;
}

ModelShapes shapes_of(const StudentRequest& request) {
  return method_shapes(*request.experiment, *request.method, *request.task);
}

std::unique_ptr<Method> make_method(const StudentRequest& request) {
  return find_method(request.method->name).make(request.method->options);
}

// A file counts by its content, not by where it lies.
nlohmann::json option_inputs(const MethodSettings& method) {
  nlohmann::json inputs = to_json(method.options);
  for (const auto& spec : find_method(method.name).options) {
    if (!spec.or_file) continue;
    const auto& value = method.options.get<std::string>(spec.name);
    const auto& words = spec.choices;
    if (std::find(words.begin(), words.end(), value) == words.end()) {
      inputs[spec.name] = file_sha256(value);
    }
  }
  return inputs;
}

// Everything that the run's result depends on.
nlohmann::json run_inputs(const StudentRequest& request, const ModelRequest& model,
                          const TrainSettings& settings, const Features& features,
                          const Teacher* teacher) {
  const MethodSettings& method = *request.method;
  const auto learning = learning_teacher(request, teacher);
  nlohmann::json inputs{{"version", kRunVersion},
                        {"task", request.task->name},
                        {"method", method.name},
                        {"label", method.label},
                        {"options", option_inputs(method)},
                        {"train", to_json(settings)},
                        {"student", model_inputs(model)},
                        {"features", features.hash},
                        {"seed", request.seed}};
  inputs["train"].erase("seeds");
  if (teacher) inputs["teacher"] = teacher->hash;
  if (learning && !teacher) inputs["learning_teacher"] = model_inputs(*learning);
  if (method.teacher_outputs_file)
    inputs["teacher_outputs"] = file_sha256(*method.teacher_outputs_file);
  return inputs;
}

std::shared_ptr<const TeacherSplit> outputs_from_file(const fs::path& file,
                                                      const TeacherNeeds& needs,
                                                      const Features& features,
                                                      const std::vector<std::string>& labels) {
  const FeatureSplit& rows = *features.store.split("train");
  if (file.extension() == ".safetensors") {
    return read_teacher_tensors(file, rows, labels);
  }
  const TeacherStore store = read_teacher_store(file);
  if (store.info.task != features.store.info.task) {
    throw_user_error(file.string(), "holds outputs on " + store.info.task + ", not on " +
                                        features.store.info.task);
  }
  const auto split = store.splits.find("train");
  if (split == store.splits.end())
    throw_user_error(file.string(), "the store holds no training rows");
  check_teacher_matches(store, *split->second, rows, "");
  if (!needs.hidden_layers.empty()) check_hidden_matches(store.info, features.store.info);
  return split->second;
}

// States of another width would be taken for the teacher's.
void check_width(const TeacherSplit& outputs, const StudentRequest& request) {
  const auto teacher = shapes_of(request).teacher;
  const bool states = !outputs.cls_layers.empty() || outputs.hidden;
  if (!states || !teacher || teacher->hidden == outputs.hidden_size) return;
  throw_user_error(request.method->teacher_outputs_file->string(),
                   fmt::format("holds states of width {}, the teacher's are {} wide",
                               outputs.hidden_size, teacher->hidden));
}

// What the method takes from a file of the user, which may be anybody's.
std::shared_ptr<const TeacherSplit> outputs_of_file(const StudentRequest& request,
                                                    const TeacherNeeds& needs,
                                                    const Features& features) {
  const auto outputs = with_layers(outputs_from_file(*request.method->teacher_outputs_file, needs,
                                                     features, shapes_of(request).student.labels),
                                   needs.cls_layers, needs.hidden_layers);
  check_width(*outputs, request);
  return outputs;
}

std::shared_ptr<const TeacherSplit> teacher_outputs(
    const StudentRequest& request, const TeacherNeeds& needs, const Features& features,
    const Teacher* teacher, const Features* teacher_features, const Workspace& workspace) {
  if (!takes_outputs(needs)) return nullptr;
  if (!request.method->teacher_outputs_file) {
    const TeacherNeeds stored = needs.from_assistant ? needs : shared_needs(request);
    return ensure_teacher_outputs(*teacher, *request.task, stored, needs, *teacher_features,
                                  workspace);
  }
  std::shared_ptr<const TeacherSplit> outputs;
  workspace.control.agree([&] { outputs = outputs_of_file(request, needs, features); });
  return outputs;
}

bool runs_online(const StudentRequest& request) {
  return request.method->teacher_outputs == "online" && takes_outputs(student_needs(request));
}

// Whom a student learns from, in the ways that a run takes it.
struct Source {
  const Teacher* teacher = nullptr;
  const Features* rows = nullptr;     // as its tokenizer cuts them
  std::optional<TrainedModel> model;  // where it runs beside the student
};

MemoryStates memory_states(const StudentRequest& request, int64_t layer, const Features& features,
                           const Source& source, const Workspace& workspace) {
  if (source.model) {
    return {
        computed_states(*source.model, layer, source.rows->store.split("train"), workspace.control),
        source.model->model->config().hidden};
  }
  TeacherNeeds needs;
  needs.hidden_layers = {layer};
  const auto stored =
      teacher_outputs(request, needs, features, source.teacher, source.rows, workspace);
  MemoryStates states{{}, stored->hidden_size};
  workspace.control.agree([&] {
    states.pass = stored_states(stored, features.store.split("train"), workspace.control);
  });
  return states;
}

// The memory that the method compares features with: its file's, or the stage's.
std::optional<FeatureMemory> feature_memory(const StudentRequest& request, const MemoryNeeds& needs,
                                            const Features& features, const Source& source,
                                            const Workspace& workspace) {
  std::optional<FeatureMemory> memory;
  if (needs.centroids == 0) return memory;
  if (!needs.file.empty()) {
    workspace.control.agree([&] { memory = read_memory(needs, shapes_of(request)); });
    return memory;
  }
  const auto origin = from_root(workspace.control, [&]() -> nlohmann::json {
    const auto& file = request.method->teacher_outputs_file;
    return file ? file_sha256(*file) : source.teacher->hash;
  });
  return ensure_memory(
      memory_key(origin.get<std::string>(), needs, features), needs, features,
      [&] { return memory_states(request, needs.layer, features, source, workspace); }, workspace);
}

TrainingRun describe_run(const StudentRequest& request, const Features& features) {
  TrainingRun run;
  run.settings = request.experiment->train_of(request.task->name, *request.method);
  run.experiment = request.experiment->name;
  run.config = request.experiment->to_json();
  run.role = "student";
  run.label = request.method->label;
  if (!request.method->grid.empty()) {
    run.grid = {{"label", request.method->grid}, {"point", request.method->grid_point}};
  }
  run.method_name = request.method->name;
  run.task = request.task;
  run.seed = request.seed;
  run.data = describe(features);
  return run;
}

// The run's name says what it is and, by a hash, all that it depends on.
std::string run_name(const TrainingRun& run) {
  return fmt::format("{}-{}-s{}-{}", run.task->name, run.label, run.seed, json_hash(run.inputs, 8));
}

void put(TrainingRun& run, const RunPlace& place) {
  run.folder = place.folder();
  run.run_id = place.run_id();
}

StudentRun not_run(TrainingRun& run, const Teacher& teacher, const Workspace& workspace) {
  run.inputs = {{"data", run.data}, {"teacher", teacher.hash}};
  const RunPlace place(workspace, run.experiment, run_name(run));
  put(run, place);
  record_failure(run, "its teacher failed", workspace);
  return {RunStatus::kFailed, run.folder};
}

}  // namespace

ModelRequest student_model(const StudentRequest& request, const Teacher* teacher) {
  ModelRequest model;
  model.settings = student_of(*request.experiment, *request.method);
  model.task = request.task;
  model.seed = static_cast<uint64_t>(request.seed);
  model.dropout = request.experiment->train_of(request.task->name, *request.method).dropout;
  model.extra = make_method(request)->extra_parameters(shapes_of(request));
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
  model.labels = shapes_of(request).student.labels;
  if (!needs.teacher || teacher->folder.empty()) return model;
  model.settings.weights = teacher->folder;
  model.settings.init = "weights";
  return model;
}

bool takes_teacher(const StudentRequest& request) {
  const ModelSettings& student = student_of(*request.experiment, *request.method);
  return (student_needs(request).teacher && !request.method->teacher_outputs_file) ||
         (student.init != "random" && student.init_from == "teacher");
}

std::string student_run_id(const StudentRequest& request, const Features& features,
                           const Teacher* teacher) {
  TrainingRun run = describe_run(request, features);
  run.inputs = run_inputs(request, student_model(request, teacher), run.settings, features,
                          student_needs(request).teacher ? teacher : nullptr);
  return run_name(run);
}

TeacherNeeds student_needs(const StudentRequest& request) {
  return make_method(request)->teacher_needs(shapes_of(request));
}

void check_teacher_outputs_file(const StudentRequest& request, const Features& features, int part,
                                int parts) {
  if (!request.method->teacher_outputs_file) return;
  TeacherNeeds needs = student_needs(request);
  const auto hidden = stored_hidden_layers(needs);
  needs.hidden_layers.assign(hidden.begin(), hidden.end());
  const auto outputs = outputs_of_file(request, needs, features);
  make_dataset(features.store.split("train"), shapes_of(request).student.labels, outputs);
  if (outputs->hidden) outputs->hidden->verify(part, parts);
}

void check_memory(const StudentRequest& request, const Features& features) {
  check_memory(student_needs(request).memory, shapes_of(request),
               features.store.split("train")->rows(), "method." + request.method->label);
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
    hidden.merge(stored_hidden_layers(needs));
  }
  all.cls_layers.assign(layers.begin(), layers.end());
  all.hidden_layers.assign(hidden.begin(), hidden.end());
  return all;
}

StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Teacher* teacher, const Features* teacher_features,
                          const Workspace& workspace) {
  TrainingRun run = describe_run(request, features);
  if (teacher && teacher->failed) return not_run(run, *teacher, workspace);
  const auto method = make_method(request);
  const TeacherNeeds needs = student_needs(request);
  const ModelRequest model_setup = student_model(request, teacher);
  run.inputs = from_root(workspace.control, [&] {
    return run_inputs(request, model_setup, run.settings, features,
                      needs.teacher ? teacher : nullptr);
  });
  const RunPlace place(workspace, run.experiment, run_name(run));
  put(run, place);
  if (place.done()) return {RunStatus::kReused, run.folder};

  if (needs.teacher && teacher)
    run.teacher = {{"stage", teacher->hash}, {"checkpoint", teacher->checkpoint_sha256}};
  const auto model = build_model(model_setup, workspace);
  std::unique_ptr<Model> beside;
  run.method = method.get();
  run.models = {{kStudent, model.get()}};
  if (const auto learning = learning_teacher(request, teacher)) {
    beside = build_model(*learning, workspace);
    run.models[kTeacher] = beside.get();
  }
  run.features = &features.store;
  Source source{teacher, teacher_features, std::nullopt};
  if (runs_online(request)) {
    source.model = load_trained_model(teacher->folder, *request.task, workspace);
    run.online_teacher = {source.model->model.get(), needs, teacher_features->store.split("train")};
  } else {
    run.teacher_outputs =
        teacher_outputs(request, needs, features, teacher, teacher_features, workspace);
  }
  run.memory = feature_memory(request, needs.memory, features, source, workspace);
  run.tokenizer = tokenizer_folder(model_setup.settings);
  return {execute(run, workspace) ? RunStatus::kDone : RunStatus::kFailed, run.folder};
}

}  // namespace kdbench
