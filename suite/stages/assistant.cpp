// SPDX-License-Identifier: MIT
#include "suite/stages/assistant.h"

#include "methods/registry.h"
#include "suite/stages/teacher_outputs.h"
#include "suite/training/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kAssistantVersion = 1;

TrainingRun describe_run(const StudentRequest& request, const Features& features,
                         const Teacher* teacher, const StageKey& key) {
  TrainingRun run;
  run.run_id = model_run_id(key, *request.task, kAssistant, request.seed);
  run.experiment = request.experiment->name;
  run.role = run.label = kAssistant;
  run.method_name = teacher ? request.method->name : "none";
  run.task = request.task;
  run.seed = request.seed;
  run.settings = request.experiment->assistant_train_of(request.task->name);
  run.config = request.experiment->to_json();
  run.inputs = key.inputs;
  run.data = describe(features);
  if (teacher) run.teacher = {{"stage", teacher->hash}, {"checkpoint", teacher->checkpoint_sha256}};
  return run;
}

// A record of its own is all that is left when the teacher failed.
bool not_made(TrainingRun& run, const Workspace& workspace) {
  record_failure(run, "its teacher failed", workspace);
  return false;
}

}  // namespace

bool trains_assistant(const Experiment& experiment) {
  return experiment.assistant && experiment.assistant->train;
}

ModelRequest assistant_model(const Experiment& experiment, const Task& task, int64_t seed) {
  return teacher_request(*experiment.assistant, experiment.assistant_train_of(task.name), task,
                         seed);
}

StageKey assistant_key(const StudentRequest& request, const Features& features,
                       const Teacher* teacher) {
  const ModelRequest model = assistant_model(*request.experiment, *request.task, request.seed);
  nlohmann::json inputs{{"features", features.hash}, {"model", model_inputs(model)}};
  if (teacher) {
    inputs["teacher"] = teacher->hash;
    inputs["method"] = request.method->name;
    inputs["options"] = to_json(request.method->options);
    inputs["train"] = to_json(request.experiment->assistant_train_of(request.task->name));
    inputs["train"].erase("seeds");
  }
  return {kAssistant, kAssistantVersion, inputs};
}

Teacher ensure_assistant(const StudentRequest& request, const Features& features,
                         const Teacher* teacher, const Features* teacher_features,
                         const Workspace& workspace) {
  const StageKey key =
      key_from_root(workspace.control, [&] { return assistant_key(request, features, teacher); });
  const auto make = [&](const fs::path& folder) {
    TrainingRun run = describe_run(request, features, teacher, key);
    run.folder = folder;
    if (teacher && teacher->failed) return not_made(run, workspace);
    const ModelRequest setup = assistant_model(*request.experiment, *request.task, request.seed);
    const auto model = build_model(setup, workspace);
    const auto method = find_method(request.method->name).make(request.method->options);
    run.models = {{kStudent, model.get()}};
    run.features = &features.store;
    run.tokenizer = tokenizer_folder(setup.settings);
    std::optional<TrainedModel> beside;
    if (teacher) run.method = method.get();
    if (teacher && request.method->teacher_outputs == "online") {
      beside = load_trained_model(teacher->folder, *request.task, workspace);
      run.online_teacher = {beside->model.get(), student_needs(request),
                            teacher_features->store.split("train")};
    } else if (teacher) {
      run.teacher_outputs = ensure_teacher_outputs(*teacher, *request.task, shared_needs(request),
                                                   {}, *teacher_features, workspace);
    }
    return execute(run, workspace);
  };
  return ensure_model(key, request.experiment->name,
                      model_run_id(key, *request.task, kAssistant, request.seed), make, workspace);
}

}  // namespace kdbench
