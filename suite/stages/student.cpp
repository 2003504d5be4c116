// SPDX-License-Identifier: MIT
#include "suite/stages/student.h"

#include <fmt/core.h>

#include <set>

#include "io/dataset.h"
#include "io/error.h"
#include "io/huggingface.h"
#include "io/sha256.h"
#include "methods/initialization.h"
#include "methods/registry.h"
#include "suite/results/run_record.h"
#include "suite/training/model_setup.h"
#include "suite/training/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kRunVersion = 1;

const ModelSettings& student_settings(const StudentRequest& request) {
  return request.method->student ? *request.method->student : *request.experiment->student;
}

std::unique_ptr<Method> make_method(const StudentRequest& request) {
  return find_method(request.method->name).make(request.method->options);
}

ModelRequest model_request(const StudentRequest& request, const Teacher* teacher) {
  ModelRequest model;
  model.settings = student_settings(request);
  model.task = request.task;
  model.seed = static_cast<uint64_t>(request.seed);
  model.dropout = request.experiment->train_of(request.task->name, *request.method).dropout;
  if (teacher) model.teacher_folder = teacher->folder;
  return model;
}

// Everything that the run's result depends on.
nlohmann::json run_inputs(const StudentRequest& request, const ModelRequest& model,
                          const TrainSettings& settings, const Features& features,
                          const Teacher* teacher) {
  const MethodSettings& method = *request.method;
  nlohmann::json inputs{{"version", kRunVersion},
                        {"task", request.task->name},
                        {"method", method.name},
                        {"label", method.label},
                        {"options", to_json(method.options)},
                        {"train", to_json(settings)},
                        {"student", model_inputs(model)},
                        {"features", features.hash},
                        {"seed", request.seed}};
  inputs["train"].erase("seeds");
  if (teacher) inputs["teacher"] = teacher->hash;
  if (method.teacher_outputs_file)
    inputs["teacher_outputs"] = file_sha256(*method.teacher_outputs_file);
  return inputs;
}

std::shared_ptr<const TeacherSplit> outputs_from_file(const fs::path& file,
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
  return split->second;
}

// What all methods of the experiment take from a task's stored outputs: the teacher runs once.
TeacherNeeds shared_needs(const StudentRequest& request) {
  TeacherNeeds all;
  std::set<int64_t> layers;
  for (const auto& method : request.experiment->methods) {
    if (method.teacher_outputs_file) continue;
    StudentRequest other = request;
    other.method = &method;
    const TeacherNeeds needs = student_needs(other);
    all.logits |= needs.logits;
    layers.insert(needs.cls_layers.begin(), needs.cls_layers.end());
  }
  all.cls_layers.assign(layers.begin(), layers.end());
  return all;
}

// States of another width would be taken for the teacher's.
void check_width(const TeacherSplit& outputs, const StudentRequest& request) {
  const auto teacher = student_shapes(request).teacher;
  if (outputs.cls_layers.empty() || !teacher || teacher->hidden == outputs.hidden_size) return;
  throw_user_error(request.method->teacher_outputs_file->string(),
                   fmt::format("holds states of width {}, the teacher's are {} wide",
                               outputs.hidden_size, teacher->hidden));
}

// What the method takes from a file of the user, which may be anybody's.
std::shared_ptr<const TeacherSplit> users_outputs(const StudentRequest& request,
                                                  const TeacherNeeds& needs,
                                                  const Features& features) {
  const auto outputs =
      with_cls_layers(outputs_from_file(*request.method->teacher_outputs_file, features,
                                        student_shapes(request).student.labels),
                      needs.cls_layers);
  check_width(*outputs, request);
  return outputs;
}

std::shared_ptr<const TeacherSplit> teacher_outputs(
    const StudentRequest& request, const TeacherNeeds& needs, const Features& features,
    const Teacher* teacher, const Features* teacher_features, const Workspace& workspace) {
  if (!needs.logits && needs.cls_layers.empty()) return nullptr;
  std::shared_ptr<const TeacherSplit> outputs;
  if (!request.method->teacher_outputs_file) {
    outputs = ensure_teacher_outputs(*teacher, *request.task, shared_needs(request),
                                     *teacher_features, workspace);
    return with_cls_layers(outputs, needs.cls_layers);
  }
  workspace.control.agree([&] { outputs = users_outputs(request, needs, features); });
  return outputs;
}

TrainingRun describe_run(const StudentRequest& request, const Features& features) {
  TrainingRun run;
  run.settings = request.experiment->train_of(request.task->name, *request.method);
  run.experiment = request.experiment->name;
  run.config = request.experiment->to_json();
  run.role = "student";
  run.label = request.method->label;
  run.method_name = request.method->name;
  run.task = request.task;
  run.seed = request.seed;
  run.data = describe(features);
  return run;
}

// Names the run by its inputs; true when a finished run of that name is there. Collective.
bool place_run(TrainingRun& run, const Workspace& workspace) {
  bool done = false;
  workspace.control.agree([&] {
    run.run_id =
        fmt::format("{}-{}-s{}-{}", run.task->name, run.label, run.seed, json_hash(run.inputs, 8));
    run.folder = free_run_folder(workspace.out / run.experiment / run.run_id, &done);
  });
  run.run_id = run.folder.filename().string();
  return workspace.control.any(done);
}

StudentRun not_run(TrainingRun& run, const Teacher& teacher, const Workspace& workspace) {
  run.inputs = {{"data", run.data}, {"teacher", teacher.hash}};
  place_run(run, workspace);
  record_failure(run, "its teacher failed", workspace);
  return {RunStatus::kFailed, run.folder};
}

// The layers that the student takes must be there.
void check_depth(const StudentRequest& request, const ModelShapes& shapes) {
  const ModelSettings& settings = student_settings(request);
  if (settings.init == "random" || !settings.weights) return;
  const bool from_teacher = settings.init_from == "teacher" && shapes.teacher;
  const int64_t source =
      from_teacher ? shapes.teacher->layers : read_model_config(*settings.weights).layers;
  select_layers({}, source, shapes.student.layers, settings.init);
}

}  // namespace

ModelShapes student_shapes(const StudentRequest& request) {
  ModelShapes shapes;
  shapes.student = resolve_config(student_settings(request), *request.task, std::nullopt);
  if (request.experiment->teacher) {
    shapes.teacher =
        resolve_config(request.experiment->teacher->model, *request.task, std::nullopt);
  }
  shapes.outputs = request.task->classes();
  return shapes;
}

TeacherNeeds student_needs(const StudentRequest& request) {
  const auto method = make_method(request);
  const ModelShapes shapes = student_shapes(request);
  method->validate(shapes);
  const TrainSettings settings = request.experiment->train_of(request.task->name, *request.method);
  if (method->needs_whole_batch() && settings.micro_batch > 0) {
    throw_user_error("train.micro_batch",
                     "method " + request.method->name + " needs the whole batch at once",
                     "leave micro_batch at 0");
  }
  const TeacherNeeds needs = method->teacher_needs(shapes);
  if (needs.teacher && !request.experiment->teacher && !request.method->teacher_outputs_file) {
    throw_user_error("method " + request.method->label, "needs a teacher", "add a [teacher] table");
  }
  if (needs.trains_teacher) {
    throw_user_error("method " + request.method->label,
                     "a teacher that learns is not available yet");
  }
  check_depth(request, shapes);
  return needs;
}

void check_teacher_outputs_file(const StudentRequest& request, const Features& features) {
  if (!request.method->teacher_outputs_file) return;
  const auto outputs = users_outputs(request, student_needs(request), features);
  make_dataset(features.store.split("train"), student_shapes(request).student.labels, outputs);
}

StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Teacher* teacher, const Features* teacher_features,
                          const Workspace& workspace) {
  TrainingRun run = describe_run(request, features);
  if (teacher && teacher->failed) return not_run(run, *teacher, workspace);
  const auto method = make_method(request);
  const TeacherNeeds needs = student_needs(request);
  ModelRequest model_setup = model_request(request, teacher);
  model_setup.extra = method->extra_parameters(student_shapes(request));
  workspace.control.agree([&] {
    run.inputs =
        run_inputs(request, model_setup, run.settings, features, needs.teacher ? teacher : nullptr);
  });
  if (place_run(run, workspace)) return {RunStatus::kReused, run.folder};

  if (needs.teacher && teacher)
    run.teacher = {{"stage", teacher->hash}, {"checkpoint", teacher->checkpoint_sha256}};
  const auto model = build_model(model_setup, workspace);
  run.method = method.get();
  run.models = {{kStudent, model.get()}};
  run.features = &features.store;
  run.teacher_outputs =
      teacher_outputs(request, needs, features, teacher, teacher_features, workspace);
  run.tokenizer = tokenizer_folder(model_setup.settings);
  return {execute(run, workspace) ? RunStatus::kDone : RunStatus::kFailed, run.folder};
}

}  // namespace kdbench
