// SPDX-License-Identifier: MIT
// A run that can be gone on with: when its training is kept, what of its record is kept beside it,
// and what a job that goes on takes over.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "suite/ranks/workspace.h"
#include "suite/results/run_record.h"
#include "suite/training/checkpoints.h"
#include "suite/training/train_settings.h"
#include "suite/training/trainer.h"

namespace kdbench {

class RunKeeper {
 public:
  // `folder`: of the checkpoints. `inputs`: everything that the run's result depends on. All must
  // outlive it. Collective.
  RunKeeper(const std::filesystem::path& folder, const nlohmann::json& inputs,
            const TrainSettings& settings, const Workspace& workspace, RunRecord& record);

  // Takes over what an earlier job has kept, if there is something: its events, and in the record
  // when it started and where it is gone on with. `title`: of the run, for people. Collective.
  void take_over(const std::string& title);
  // For train(), which is about to begin; `init_s`: what it took until here.
  Keeping keeping(double init_s);

  // Of earlier jobs and this one: until training began; training times the threads of all ranks.
  double init_s() const { return before_.init_s + init_s_; }
  double core_s(double train_s) const;

 private:
  // Of the jobs before this one.
  struct Before {
    double init_s = 0.0, core_s = 0.0, train_s = 0.0;
  };
  bool due(int64_t done, int64_t all) const;
  void keep(const TrainingState& state, bool stops);
  int64_t write(const TrainingState& state);

  const Checkpoints checkpoints_;
  const TrainSettings& settings_;
  const Workspace& workspace_;
  RunRecord& record_;
  const double threads_;  // of all ranks
  std::string title_;
  std::shared_ptr<const TrainingState> kept_;  // what it goes on with; given to the trainer
  Before before_;
  double init_s_ = 0.0;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// The checkpoints of a run in <out>/<experiment>. Local.
std::filesystem::path checkpoint_folder(const std::filesystem::path& run);
// Removes them: the run is done, has failed, or is to be made again. Collective.
void remove_checkpoints(const std::filesystem::path& folder, const Workspace& workspace);

}  // namespace kdbench
