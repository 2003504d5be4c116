// SPDX-License-Identifier: MIT
#include "suite/stages/teacher.h"

#include <fmt/core.h>

#include <fstream>

#include "io/error.h"
#include "io/huggingface.h"
#include "methods/registry.h"
#include "suite/stages/run_place.h"
#include "suite/training/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kTeacherVersion = 1;

fs::path model_folder(const fs::path& stage) { return stage / "run" / "model"; }

// What the teacher's weights and scores depend on.
nlohmann::json teacher_inputs(const Experiment& experiment, const ModelRequest& request,
                              const Features& features) {
  nlohmann::json inputs{{"features", features.hash}, {"model", model_inputs(request)}};
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
  run.role = "teacher";
  run.label = "teacher";
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

// Copies a stage's run, without its model, to <out>/<experiment>/<run-id>, unless it is there, and
// returns that folder. Collective.
fs::path publish_run(const fs::path& run_folder, const std::string& experiment,
                     const std::string& run_id, const Workspace& workspace) {
  const RunPlace place(workspace, experiment, run_id);
  if (place.done()) return place.folder();
  workspace.control.on_root([&] {
    const fs::path partial = place.folder().string() + ".partial";
    fs::remove_all(partial);
    fs::create_directories(partial);
    for (const auto& entry : fs::directory_iterator(run_folder)) {
      if (entry.path().filename() != "model" && entry.path().filename() != "run.json") {
        fs::copy(entry.path(), partial / entry.path().filename(), fs::copy_options::recursive);
      }
    }
    // The same teacher serves several experiments: its record here names this one, and where the
    // weights lie.
    std::ifstream file(run_folder / "run.json");
    auto run = nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
    if (!run.is_object()) {
      throw_user_error(
          (run_folder / "run.json").string(), "is gone or damaged",
          "delete " + run_folder.parent_path().string() + ": the next run makes it again");
    }
    run["experiment"] = experiment;
    run["run_id"] = place.run_id();
    if (run.value("status", "") == "done")
      run["model"] = fs::relative(run_folder / "model", place.folder()).string();
    std::ofstream copy(partial / "run.json");
    copy << run.dump(2) << "\n";
    if (!copy.flush())
      throw_machine_error(partial.string(), "cannot write run.json", "is the disk full?");
    copy.close();
    fs::rename(partial, place.folder());
  });
  return place.folder();
}

}  // namespace

ModelRequest teacher_model(const Experiment& experiment, const Task& task, int64_t seed) {
  ModelRequest request;
  request.settings = experiment.teacher->model;
  request.task = &task;
  request.seed = static_cast<uint64_t>(seed);
  request.frozen = !experiment.teacher->train;
  if (experiment.teacher->train) request.dropout = experiment.teacher_train_of(task.name).dropout;
  return request;
}

StageKey teacher_key(const Experiment& experiment, const Task& task, int64_t seed,
                     const Features& features) {
  const ModelRequest request = teacher_model(experiment, task, seed);
  return {"teacher", kTeacherVersion, teacher_inputs(experiment, request, features)};
}

Teacher teacher_at(const fs::path& out, const StageKey& key) {
  Teacher teacher;
  teacher.hash = key.hash();
  if (stage_is_there(out, key)) teacher.folder = model_folder(stage_folder(out, key));
  return teacher;
}

Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace) {
  const ModelRequest request = teacher_model(experiment, task, seed);
  StageKey key{"teacher", kTeacherVersion, {}};
  key.inputs = from_root(workspace.control,
                         [&] { return teacher_key(experiment, task, seed, features).inputs; });
  Teacher teacher;
  teacher.hash = key.hash();
  const std::string run_id =
      fmt::format("{}-teacher-s{}-{}", task.name, seed, teacher.hash.substr(0, 8));
  // A teacher that failed is recorded, but is no stage: it is tried again next time.
  const auto stage = ensure_stage(workspace, key, [&](const fs::path& partial) {
    const bool done =
        make_teacher(experiment, request, key.inputs, run_id, features, partial / "run", workspace);
    if (!done) teacher.record = publish_run(partial / "run", experiment.name, run_id, workspace);
    return done;
  });
  teacher.failed = !stage;
  if (teacher.failed) return teacher;
  teacher.folder = model_folder(*stage);
  teacher.record = publish_run(*stage / "run", experiment.name, run_id, workspace);
  const auto weights = from_root(workspace.control, [&] {
    std::string sha256;
    read_stage(*stage, [&] { sha256 = model_weights_sha256(teacher.folder); });
    return sha256;
  });
  teacher.checkpoint_sha256 = weights.get<std::string>();
  return teacher;
}

}  // namespace kdbench
