// SPDX-License-Identifier: MIT
#include "suite/stages/student.h"

#include <fmt/core.h>

#include <fstream>

#include "io/error.h"
#include "io/sha256.h"
#include "methods/registry.h"
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

// <experiment>/<run-id>, or <run-id>-2, -3, ... after failed attempts: results are never
// overwritten.
fs::path free_folder(const fs::path& first, bool* done) {
  fs::path folder = first;
  for (int attempt = 2; fs::exists(folder); ++attempt) {
    std::ifstream file(folder / "run.json");
    const auto json = nlohmann::json::parse(file, nullptr, false);
    *done = !json.is_discarded() && json.value("status", "") == "done";
    if (*done) return folder;
    folder = first.string() + "-" + std::to_string(attempt);
  }
  return folder;
}

std::shared_ptr<const TeacherSplit> outputs_from_file(const fs::path& file,
                                                      const Features& features,
                                                      const std::vector<std::string>& labels) {
  const FeatureSplit& rows = *features.store.split("train");
  if (file.extension() == ".safetensors") return read_teacher_tensors(file, rows, labels);
  const TeacherStore store = read_teacher_store(file);
  const auto split = store.splits.find("train");
  if (split == store.splits.end())
    throw_user_error(file.string(), "the store holds no training rows");
  check_teacher_matches(store, *split->second, rows, "");
  return split->second;
}

std::shared_ptr<const TeacherSplit> teacher_outputs(
    const StudentRequest& request, const TeacherNeeds& needs, const Features& features,
    const Teacher* teacher, const Features* teacher_features,
    const std::vector<std::string>& labels, const Workspace& workspace) {
  if (!needs.logits && needs.cls_layers.empty()) return nullptr;
  if (!request.method->teacher_outputs_file) {
    return ensure_teacher_outputs(*teacher, *request.task, needs, *teacher_features, workspace);
  }
  std::shared_ptr<const TeacherSplit> outputs;
  workspace.control.agree([&] {
    outputs = outputs_from_file(*request.method->teacher_outputs_file, features, labels);
  });
  return outputs;
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
  return needs;
}

RunStatus ensure_student(const StudentRequest& request, const Features& features,
                         const Teacher* teacher, const Features* teacher_features,
                         const Workspace& workspace) {
  const auto method = make_method(request);
  const TeacherNeeds needs = student_needs(request);
  ModelRequest model_setup = model_request(request, teacher);
  model_setup.extra = method->extra_parameters(student_shapes(request));

  TrainingRun run;
  run.settings = request.experiment->train_of(request.task->name, *request.method);
  bool done = false;
  workspace.control.agree([&] {
    run.config =
        run_inputs(request, model_setup, run.settings, features, needs.teacher ? teacher : nullptr);
    run.run_id = fmt::format("{}-{}-s{}-{}", request.task->name, request.method->label,
                             request.seed, json_hash(run.config, 8));
    run.folder = free_folder(workspace.out / request.experiment->name / run.run_id, &done);
  });
  if (workspace.control.any(done)) return RunStatus::kReused;

  run.run_id = run.folder.filename().string();
  run.experiment = request.experiment->name;
  run.role = "student";
  run.label = request.method->label;
  run.method_name = request.method->name;
  run.task = request.task;
  run.seed = request.seed;
  run.data = {{"features", features.hash}};
  if (needs.teacher && teacher)
    run.teacher = {{"stage", teacher->hash}, {"checkpoint", teacher->checkpoint_sha256}};
  const auto model = build_model(model_setup, workspace);
  run.method = method.get();
  run.models = {{kStudent, model.get()}};
  run.features = &features.store;
  run.teacher_outputs = teacher_outputs(request, needs, features, teacher, teacher_features,
                                        model->config().labels, workspace);
  run.tokenizer = tokenizer_folder(model_setup.settings);
  return execute(run, workspace) ? RunStatus::kDone : RunStatus::kFailed;
}

}  // namespace kdbench
