// SPDX-License-Identifier: MIT
#include "suite/stages/runs/model_stage.h"

#include <fmt/core.h>

#include "io/base/error.h"
#include "io/base/file_list.h"
#include "reports/run_files.h"
#include "suite/graph/run_place.h"
#include "suite/results/run_record.h"
#include "suite/stages/runs/run_keeper.h"
#include "suite/stages/runs/training_run.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Copies a stage's run, without its model, to <out>/<experiment>/<run-id>, unless it is there, and
// returns that folder. Collective.
fs::path publish_run(const fs::path& run_folder, const std::string& experiment,
                     const std::string& run_id, const Workspace& workspace) {
  const RunPlace place(workspace, experiment, run_id, "the record " + run_id);
  if (place.done()) return place.folder();
  workspace.control.on_root([&] {
    const fs::path partial = place.folder().string() + ".partial";
    fs::remove_all(partial);
    fs::create_directories(partial);
    for (const auto& entry : fs::directory_iterator(run_folder)) {
      if (entry.path().filename() != "model" && entry.path().filename() != kRunJson) {
        fs::copy(entry.path(), partial / entry.path().filename(), fs::copy_options::recursive);
      }
    }
    // The same teacher serves several experiments: its record here names this one, and where the
    // weights lie.
    nlohmann::json run = read_run_json(run_folder);
    if (run.empty()) {
      throw_user_error(
          (run_folder / kRunJson).string(), "is gone or damaged",
          "delete " + run_folder.parent_path().string() + ": the next run makes it again");
    }
    run["experiment"] = experiment;
    run["run_id"] = place.run_id();
    if (run.value("status", "") == "done")
      run["model"] = fs::relative(run_folder / "model", place.folder()).string();
    run["files"] = list_files(partial, kRunJson);
    write_run_json(partial, run);
    fs::rename(partial, place.folder());
  });
  return place.folder();
}

}  // namespace

ModelStage::ModelStage(Learner learner, StageKey key)
    : SourceModel(std::move(key), fmt::format("{} seed {}", learner.task->name, learner.seed),
                  learner.model, *learner.rows),
      learner_(std::move(learner)),
      run_id_(fmt::format("{}-{}-s{}-{}", learner_.task->name, learner_.role, learner_.seed,
                          hash().substr(0, 8))) {
  need_all(*this, learner_);
}

bool ModelStage::done(const Workspace& workspace) {
  return SourceModel::done(workspace) &&
         run_is_done(workspace, learner_.experiment, run_id_, &record_);
}

StageState ModelStage::look(const Workspace& workspace) {
  const StageState found = SourceModel::look(workspace);
  if (found.kind != StageState::Kind::kMissing) return found;
  // Of a failed one only the record is kept.
  const StageState run = look_at_run(workspace.out, learner_.experiment, run_id_);
  return run.kind == StageState::Kind::kFailed ? run : found;
}

void ModelStage::check(Inspection& inspection) { kdbench::check(learner_, inspection); }

Cost ModelStage::cost(TrainingCosts& costs, const Workspace& workspace) {
  return cost_of(learner_, costs, workspace);
}

Outcome ModelStage::make(const Workspace& workspace, IfBusy if_busy) {
  Outcome outcome = SourceModel::make(workspace, if_busy);
  if (outcome.kind == Outcome::Kind::kBusy) return outcome;
  if (outcome.kind != Outcome::Kind::kFailed) {
    remove_checkpoints(checkpoint_folder(folder(workspace)), workspace);
    record_ = publish_run(contents(workspace) / "run", learner_.experiment, run_id_, workspace);
  }
  outcome.record = record_;
  return outcome;
}

bool ModelStage::make_in(const fs::path& partial, const Workspace& workspace) {
  const RunTarget target{partial / "run", run_id_, key().inputs,
                         checkpoint_folder(folder(workspace))};
  if (skipped_) {
    record_failure(learner_, target, failure_, workspace);
  } else {
    failure_ = execute(learner_, target, workspace);
  }
  const bool done = failure_.empty();
  if (!done) {
    // While the stage is locked: the next job may begin at once.
    remove_checkpoints(target.checkpoints, workspace);
    record_ = publish_run(target.folder, learner_.experiment, run_id_, workspace);
  }
  return done;
}

void ModelStage::discard(const Workspace& workspace) {
  discard_run(workspace, learner_.experiment, run_id_, "the record " + run_id_);
  SourceModel::discard(workspace);
  remove_checkpoints(checkpoint_folder(folder(workspace)), workspace);
}

Outcome ModelStage::skip(const std::string& why, const Workspace& workspace) {
  skipped_ = true;
  failure_ = why;
  const Outcome outcome = make(workspace);
  skipped_ = false;
  return outcome;
}

InitialModel model_of(const TeacherSettings& settings, const TrainSettings& train, const Task& task,
                      int64_t seed, const Control& control) {
  InitialModel model;
  control.agree([&] {
    const auto dropout = settings.train ? train.dropout : std::nullopt;
    model = initial_model(settings.model, task, dropout);
  });
  model.seed = static_cast<uint64_t>(seed);
  model.frozen = !settings.train;
  return model;
}

nlohmann::json stage_model_inputs(const InitialModel& model) {
  nlohmann::json inputs = model_inputs(model);
  if (model.frozen && inputs.at("weights") != "random") inputs.erase("seed");
  return inputs;
}

}  // namespace kdbench
