// SPDX-License-Identifier: MIT
// A stage that is one run: it lies in <out>/<experiment>/<run-id>, where people look for it.
#pragma once

#include <filesystem>
#include <string>

#include "suite/stages/runs/learner.h"

namespace kdbench {

class RunStage : public Stage {
 public:
  RunStage(Learner learner, std::string title)
      : Stage("run", learner.task->name, std::move(title)), learner_(std::move(learner)) {
    need_all(*this, learner_);
  }

  // "<task>-<label>-s<seed>-<hash of everything that the result depends on>", with -2, -3, ...
  // after failed attempts.
  std::string name(const Workspace& workspace) override;
  std::filesystem::path folder(const Workspace& workspace) override;
  bool done(const Workspace& workspace) override;
  bool leaves_run() const override { return true; }
  StageState look(const Workspace& workspace) override;
  void check(Inspection& inspection) override { kdbench::check(learner_, inspection); }
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  // A run whose training fails is recorded as failed.
  Outcome make(const Workspace& workspace, IfBusy if_busy = IfBusy::kWait) override;
  void discard(const Workspace& workspace) override;
  Outcome skip(const std::string& why, const Workspace& workspace) override;

 protected:
  const Learner& learner() const { return learner_; }
  // Everything that the result depends on; null while that is weights that are not there yet.
  // Local; reads files.
  virtual nlohmann::json find_inputs(const Workspace& workspace) const = 0;
  // The start of the run's name.
  virtual std::string stem() const = 0;

 private:
  const nlohmann::json& inputs(const Workspace& workspace);
  std::string run_id(const nlohmann::json& inputs) const;
  std::filesystem::path checkpoints(const nlohmann::json& inputs, const Workspace& workspace) const;

  Learner learner_;
  nlohmann::json inputs_;
};

}  // namespace kdbench
