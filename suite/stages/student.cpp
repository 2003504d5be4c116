// SPDX-License-Identifier: MIT
#include "suite/stages/student.h"

#include <fmt/core.h>

#include "io/base/sha256.h"
#include "suite/stages/run_place.h"
#include "suite/stages/training_run.h"

namespace kdbench {
namespace {

constexpr int kRunVersion = 2;

// What the run is made from, found before anything is built.
struct Setup {
  std::unique_ptr<Method> method;
  const Teacher* source = nullptr;  // whom the method learns from; null: nobody's model
  bool assisted = false;            // that is the assistant
  ModelRequest student;
  std::optional<ModelRequest> beside;  // the teacher that learns too
};

// Local.
Setup set_up(const StudentRequest& request, const Teacher* source) {
  const TeacherNeeds needs = student_needs(request);
  return {make_method(request), needs.teacher ? source : nullptr, needs.from_assistant,
          student_model(request, source), learning_teacher(request, source)};
}

// Everything that the run's result depends on.
nlohmann::json run_inputs(const StudentRequest& request, const Setup& setup,
                          const TrainSettings& settings, const Features& features) {
  const MethodSettings& method = *request.method;
  nlohmann::json inputs{{"version", kRunVersion},
                        {"task", request.task->name},
                        {"method", method.name},
                        {"label", method.label},
                        {"options", option_inputs(request)},
                        {"train", to_json(settings)},
                        {"student", model_inputs(setup.student)},
                        {"features", features.hash},
                        {"seed", request.seed}};
  inputs["train"].erase("seeds");
  if (setup.source) inputs[setup.assisted ? "assistant" : "teacher"] = setup.source->hash;
  // A finished teacher that goes on learning is named by its stage.
  if (setup.beside && !setup.source) inputs["learning_teacher"] = model_inputs(*setup.beside);
  if (method.teacher_outputs_file)
    inputs["teacher_outputs"] = file_sha256(*method.teacher_outputs_file);
  return inputs;
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

StudentRun not_run(TrainingRun& run, const Source& source, const Workspace& workspace) {
  run.inputs = {{"data", run.data}, {"teacher", source.model->hash}};
  const RunPlace place(workspace, run.experiment, run_name(run));
  put(run, place);
  const bool assisted = source.kind == SourceKind::kAssistant;
  record_failure(run, assisted ? "its assistant failed" : "its teacher failed", workspace);
  return {RunStatus::kFailed, run.folder};
}

}  // namespace

std::string student_run_id(const StudentRequest& request, const Features& features,
                           const Teacher* source) {
  TrainingRun run = describe_run(request, features);
  run.inputs = run_inputs(request, set_up(request, source), run.settings, features);
  return run_name(run);
}

StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Source& source, const Workspace& workspace) {
  TrainingRun run = describe_run(request, features);
  if (source.model && source.model->failed) return not_run(run, source, workspace);
  Setup setup;
  workspace.control.agree([&] { setup = set_up(request, source.model); });
  run.inputs = from_root(workspace.control,
                         [&] { return run_inputs(request, setup, run.settings, features); });
  const RunPlace place(workspace, run.experiment, run_name(run));
  put(run, place);
  if (place.done()) return {RunStatus::kReused, run.folder};

  if (setup.source) {
    run.teacher = {{"stage", setup.source->hash}, {"checkpoint", setup.source->checkpoint_sha256}};
  }
  const auto model = build_model(setup.student, workspace);
  std::unique_ptr<Model> beside;
  run.method = setup.method.get();
  run.models = {{kStudent, model.get()}};
  if (setup.beside) {
    beside = build_model(*setup.beside, workspace);
    run.models[kTeacher] = beside.get();
  }
  run.features = &features.store;
  const SourceOutputs outputs = ensure_source_outputs(request, features, source, workspace);
  run.teacher_outputs = outputs.stored;
  run.online_teacher = outputs.online;
  run.memory = outputs.memory;
  run.tokenizer = tokenizer_folder(setup.student.settings);
  return {execute(run, workspace) ? RunStatus::kDone : RunStatus::kFailed, run.folder};
}

}  // namespace kdbench
