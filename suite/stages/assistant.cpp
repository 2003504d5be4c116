// SPDX-License-Identifier: MIT
#include "suite/stages/assistant.h"

#include "suite/stages/training_run.h"

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

// Trains (or only scores) the assistant and leaves its run in `folder`; false when it failed.
bool make_assistant(const StudentRequest& request, const Features& features, const Source& teacher,
                    const StageKey& key, const fs::path& folder, const Workspace& workspace) {
  TrainingRun run = describe_run(request, features, teacher.model, key);
  run.folder = folder;
  if (teacher.model && teacher.model->failed) {
    record_failure(run, "its teacher failed", workspace);
    return false;
  }
  const ModelRequest setup = assistant_model(*request.experiment, *request.task, request.seed);
  const auto model = build_model(setup, workspace);
  const auto method = make_method(request);
  run.models = {{kStudent, model.get()}};
  run.features = &features.store;
  run.tokenizer = tokenizer_folder(setup.settings);
  SourceOutputs outputs;
  if (teacher.model) {
    run.method = method.get();
    outputs = ensure_source_outputs(request, features, teacher, workspace);
    run.teacher_outputs = outputs.stored;
    run.online_teacher = outputs.online;
  }
  return execute(run, workspace);
}

}  // namespace

ModelRequest assistant_model(const Experiment& experiment, const Task& task, int64_t seed) {
  return teacher_request(*experiment.assistant, experiment.assistant_train_of(task.name), task,
                         seed);
}

StageKey assistant_key(const StudentRequest& request, const Features& features,
                       const Teacher* teacher) {
  const ModelRequest model = assistant_model(*request.experiment, *request.task, request.seed);
  nlohmann::json inputs{{"features", features.hash}, {"model", stage_model_inputs(model)}};
  if (teacher) {
    inputs["teacher"] = teacher->hash;
    inputs["method"] = request.method->name;
    inputs["options"] = option_inputs(request);
    inputs["train"] = to_json(request.experiment->assistant_train_of(request.task->name));
    inputs["train"].erase("seeds");
  }
  return {kAssistant, kAssistantVersion, inputs};
}

Teacher ensure_assistant(const StudentRequest& request, const Features& features,
                         const Source& teacher, const Workspace& workspace) {
  const StageKey key = key_from_root(
      workspace.control, [&] { return assistant_key(request, features, teacher.model); });
  return ensure_model(
      key, request.experiment->name, model_run_id(key, *request.task, kAssistant, request.seed),
      [&](const fs::path& folder) {
        return make_assistant(request, features, teacher, key, folder, workspace);
      },
      workspace);
}

}  // namespace kdbench
