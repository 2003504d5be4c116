// SPDX-License-Identifier: MIT
#include "suite/stages/model_stage.h"

#include <fmt/core.h>

#include <fstream>

#include "io/base/error.h"
#include "io/weights/weight_files.h"
#include "suite/stages/run_place.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

fs::path model_folder(const fs::path& stage) { return stage / "run" / "model"; }

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

ModelRequest teacher_request(const TeacherSettings& settings, const TrainSettings& train,
                             const Task& task, int64_t seed) {
  ModelRequest request;
  request.settings = settings.model;
  request.task = &task;
  request.seed = static_cast<uint64_t>(seed);
  request.frozen = !settings.train;
  if (settings.train) request.dropout = train.dropout;
  return request;
}

nlohmann::json stage_model_inputs(const ModelRequest& request) {
  nlohmann::json inputs = model_inputs(request);
  if (request.frozen && inputs.at("weights") != "random") inputs.erase("seed");
  return inputs;
}

Teacher teacher_at(const fs::path& out, const StageKey& key) {
  Teacher teacher;
  teacher.hash = key.hash();
  if (stage_is_there(out, key)) teacher.folder = model_folder(stage_folder(out, key));
  return teacher;
}

std::string model_run_id(const StageKey& key, const Task& task, const std::string& role,
                         int64_t seed) {
  return fmt::format("{}-{}-s{}-{}", task.name, role, seed, key.hash().substr(0, 8));
}

Teacher ensure_model(const StageKey& key, const std::string& experiment, const std::string& run_id,
                     const std::function<bool(const fs::path&)>& make, const Workspace& workspace) {
  Teacher teacher;
  teacher.hash = key.hash();
  const auto stage = ensure_stage(workspace, key, [&](const fs::path& partial) {
    const bool done = make(partial / "run");
    if (!done) teacher.record = publish_run(partial / "run", experiment, run_id, workspace);
    return done;
  });
  teacher.failed = !stage;
  if (teacher.failed) return teacher;
  teacher.folder = model_folder(*stage);
  teacher.record = publish_run(*stage / "run", experiment, run_id, workspace);
  const auto weights = from_root(workspace.control, [&] {
    std::string sha256;
    read_stage(*stage, [&] { sha256 = model_weights_sha256(teacher.folder); });
    return sha256;
  });
  teacher.checkpoint_sha256 = weights.get<std::string>();
  return teacher;
}

}  // namespace kdbench
