// SPDX-License-Identifier: MIT
// A stage that leaves a trained model, from which others learn, and its run's record: teachers and
// assistants. The record is copied to <out>/<experiment>/<run-id>.
#pragma once

#include <filesystem>
#include <string>

#include "suite/stages/runs/learner.h"
#include "suite/stages/sources/source_model.h"

namespace kdbench {

class ModelStage : public SourceModel {
 public:
  ModelStage(Learner learner, StageKey key);

  bool done(const Workspace& workspace) override;
  bool leaves_run() const override { return true; }
  StageState look(const Workspace& workspace) override;
  void check(Inspection& inspection) override;
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  Outcome make(const Workspace& workspace, IfBusy if_busy = IfBusy::kWait) override;
  void discard(const Workspace& workspace) override;
  // Recorded as a failed run.
  Outcome skip(const std::string& why, const Workspace& workspace) override;

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  Learner learner_;
  std::string run_id_;
  bool skipped_ = false;  // one of its needs failed
  std::filesystem::path record_;
};

// What such a model begins as; frozen when nobody trains it. Collective; reads
// config.json.
InitialModel model_of(const TeacherSettings& settings, const TrainSettings& train, const Task& task,
                      int64_t seed, const Control& control);

// What its first weights are, for the stage's key: of a frozen checkpoint the same for all
// seeds. Local; reads weight files.
nlohmann::json stage_model_inputs(const InitialModel& model);

}  // namespace kdbench
