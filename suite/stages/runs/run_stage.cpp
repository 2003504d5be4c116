// SPDX-License-Identifier: MIT
#include "suite/stages/runs/run_stage.h"

#include "io/base/sha256.h"
#include "suite/graph/run_place.h"
#include "suite/stages/runs/run_keeper.h"
#include "suite/stages/runs/training_run.h"
#include "suite/stages/sources/source.h"

namespace kdbench {

namespace fs = std::filesystem;

const nlohmann::json& RunStage::inputs(const Workspace& workspace) {
  if (!inputs_.is_null()) return inputs_;
  inputs_ = from_root(workspace.control, [&] { return find_inputs(workspace); });
  return inputs_;
}

std::string RunStage::run_id(const nlohmann::json& inputs) const {
  return stem() + "-" + json_hash(inputs, 8);
}

fs::path RunStage::checkpoints(const nlohmann::json& inputs, const Workspace& workspace) const {
  return checkpoint_folder(workspace.out / learner_.experiment / run_id(inputs));
}

std::string RunStage::name(const Workspace& workspace) {
  return inputs(workspace).is_null() ? "" : folder(workspace).filename().string();
}

fs::path RunStage::folder(const Workspace& workspace) {
  fs::path place;
  run_is_done(workspace, learner_.experiment, run_id(inputs(workspace)), &place);
  return place;
}

bool RunStage::done(const Workspace& workspace) {
  if (inputs(workspace).is_null()) return false;
  fs::path place;
  return run_is_done(workspace, learner_.experiment, run_id(inputs_), &place);
}

StageState RunStage::look(const Workspace& workspace) {
  if (inputs(workspace).is_null()) return {};
  return look_at_run(workspace.out, learner_.experiment, run_id(inputs_));
}

Cost RunStage::cost(TrainingCosts& costs, const Workspace& workspace) {
  return cost_of(learner_, costs, workspace);
}

Outcome RunStage::make(const Workspace& workspace, IfBusy if_busy) {
  std::string busy;
  const RunPlace place(workspace, learner_.experiment, run_id(inputs(workspace)),
                       kind() + " " + title(), if_busy == IfBusy::kLeave ? &busy : nullptr);
  const fs::path kept = checkpoints(inputs_, workspace);
  if (place.done()) {
    remove_checkpoints(kept, workspace);  // of a job that died when it was done
    return {Outcome::Kind::kReused, place.folder(), ""};
  }
  if (!busy.empty()) return {Outcome::Kind::kBusy, {}, busy};
  const std::string why =
      execute(learner_, {place.folder(), place.run_id(), inputs_, kept}, workspace);
  remove_checkpoints(kept, workspace);
  return {why.empty() ? Outcome::Kind::kMade : Outcome::Kind::kFailed, place.folder(), why};
}

void RunStage::discard(const Workspace& workspace) {
  inputs_ = nullptr;  // the weights among them may be made again
  const auto found = from_root(workspace.control, [&] { return find_inputs(workspace); });
  if (found.is_null()) return;  // it cannot have been made
  discard_run(workspace, learner_.experiment, run_id(found), kind() + " " + title());
  remove_checkpoints(checkpoints(found, workspace), workspace);
}

Outcome RunStage::skip(const std::string& why, const Workspace& workspace) {
  nlohmann::json known{{"data", describe(learner_.rows->rows(workspace))}};
  if (learner_.source && learner_.source->model) {
    known["teacher"] = learner_.source->model->hash();
  }
  const RunPlace place(workspace, learner_.experiment, run_id(known), kind() + " " + title());
  record_failure(learner_, {place.folder(), place.run_id(), known, {}}, why, workspace);
  return {Outcome::Kind::kFailed, place.folder(), why};
}

}  // namespace kdbench
