// SPDX-License-Identifier: MIT
#include "suite/stages/teacher.h"

#include "methods/registry.h"
#include "suite/stages/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kTeacherVersion = 1;

// What the teacher's weights and scores depend on.
nlohmann::json teacher_inputs(const Experiment& experiment, const ModelRequest& request,
                              const Features& features) {
  nlohmann::json inputs{{"features", features.hash}, {"model", stage_model_inputs(request)}};
  if (experiment.teacher->train)
    inputs["train"] = to_json(experiment.teacher_train_of(request.task->name));
  if (inputs.contains("train")) inputs["train"].erase("seeds");
  return inputs;
}

// Fine-tunes (or only scores) the teacher and leaves its run in `folder`; false when it failed.
bool make_teacher(const Experiment& experiment, const ModelRequest& request,
                  const nlohmann::json& inputs, const std::string& run_id, const Features& features,
                  const fs::path& folder, const Workspace& workspace) {
  TrainingRun run;
  run.run_id = run_id;
  run.folder = folder;
  run.experiment = experiment.name;
  run.role = kTeacher;
  run.label = kTeacher;
  run.method_name = experiment.teacher->train ? "finetune" : "none";
  run.task = request.task;
  run.seed = static_cast<int64_t>(request.seed);
  run.settings = experiment.teacher_train_of(request.task->name);
  run.config = experiment.to_json();
  run.inputs = inputs;
  run.data = describe(features);
  const auto model = build_model(request, workspace);
  const auto method = find_method("finetune").make(Options{});
  if (experiment.teacher->train) run.method = method.get();
  run.models = {{kStudent, model.get()}};
  run.features = &features.store;
  run.tokenizer = tokenizer_folder(request.settings);
  return execute(run, workspace);
}

}  // namespace

ModelRequest teacher_model(const Experiment& experiment, const Task& task, int64_t seed) {
  return teacher_request(*experiment.teacher, experiment.teacher_train_of(task.name), task, seed);
}

StageKey teacher_key(const Experiment& experiment, const Task& task, int64_t seed,
                     const Features& features) {
  const ModelRequest request = teacher_model(experiment, task, seed);
  return {kTeacher, kTeacherVersion, teacher_inputs(experiment, request, features)};
}

Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace) {
  const ModelRequest request = teacher_model(experiment, task, seed);
  const StageKey key = key_from_root(workspace.control,
                                     [&] { return teacher_key(experiment, task, seed, features); });
  const std::string run_id = model_run_id(key, task, kTeacher, seed);
  return ensure_model(
      key, experiment.name, run_id,
      [&](const fs::path& folder) {
        return make_teacher(experiment, request, key.inputs, run_id, features, folder, workspace);
      },
      workspace);
}

}  // namespace kdbench
