// SPDX-License-Identifier: MIT
#include "suite/stages/model_stage.h"

#include <fmt/core.h>

#include <fstream>

#include "io/base/error.h"
#include "io/weights/weight_files.h"
#include "suite/graph/run_place.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

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

ModelStage::ModelStage(Learner learner, StageKey key)
    : SharedStage(std::move(key), learner.task->name,
                  fmt::format("{} seed {}", learner.task->name, learner.seed)),
      learner_(std::move(learner)),
      run_id_(fmt::format("{}-{}-s{}-{}", learner_.task->name, learner_.role, learner_.seed,
                          hash().substr(0, 8))) {
  need_all(*this, learner_);
}

bool ModelStage::done(const Workspace& workspace) {
  return SharedStage::done(workspace) &&
         run_is_done(workspace, learner_.experiment, run_id_, &record_);
}

StageState ModelStage::look(const Workspace& workspace) {
  const StageState found = SharedStage::look(workspace);
  if (found.kind != StageState::Kind::kMissing) return found;
  // Of a failed one only the record is kept.
  const StageState run = look_at_run(workspace.out, learner_.experiment, run_id_);
  return run.kind == StageState::Kind::kFailed ? run : found;
}

void ModelStage::check(Inspection& inspection) { kdbench::check(learner_, inspection); }

Cost ModelStage::cost(TrainingCosts& costs, const Workspace& workspace) {
  return cost_of(learner_, costs, workspace);
}

Outcome ModelStage::make(const Workspace& workspace) {
  Outcome outcome = SharedStage::make(workspace);
  if (outcome.kind != Outcome::Kind::kFailed) {
    record_ = publish_run(folder(workspace) / "run", learner_.experiment, run_id_, workspace);
  }
  outcome.record = record_;
  return outcome;
}

bool ModelStage::make_in(const fs::path& partial, const Workspace& workspace) {
  const fs::path run = partial / "run";
  bool done = false;
  if (reason_.empty()) {
    done = execute(learner_, key().inputs, run, run_id_, workspace);
  } else {
    record_failure(learner_, key().inputs, run, run_id_, reason_, workspace);
  }
  if (!done) record_ = publish_run(run, learner_.experiment, run_id_, workspace);
  return done;
}

Outcome ModelStage::skip(const Stage& need, const Workspace& workspace) {
  reason_ = "its " + need.kind() + " failed";
  const Outcome outcome = make(workspace);
  reason_.clear();
  return outcome;
}

fs::path ModelStage::model_folder(const Workspace& workspace) {
  return folder(workspace) / "run" / "model";
}

const std::string& ModelStage::checkpoint_sha256(const Workspace& workspace) {
  if (checkpoint_sha256_.empty()) {
    const auto weights = from_root(workspace.control, [&] {
      std::string sha256;
      read_stage(folder(workspace),
                 [&] { sha256 = model_weights_sha256(model_folder(workspace)); });
      return sha256;
    });
    checkpoint_sha256_ = weights.get<std::string>();
  }
  return checkpoint_sha256_;
}

std::string source_text(const ModelStage& model) {
  return fmt::format("{}{} seed {}", model.task(),
                     model.kind() == kTeacher ? "" : " " + model.kind(), model.learner().seed);
}

ModelRequest model_request(const TeacherSettings& settings, const TrainSettings& train,
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

}  // namespace kdbench
