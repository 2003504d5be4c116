// SPDX-License-Identifier: MIT
// The main job: every task x method x seed of an experiment through all its stages.
#pragma once

#include <filesystem>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/stages/workspace.h"

namespace kdbench {

struct PipelineResult {
  int64_t done = 0, reused = 0, failed = 0;
  std::filesystem::path folder;             // <out>/<experiment>
  std::vector<std::filesystem::path> runs;  // this experiment's, teachers first
};

// Checks every task x method before the first one starts (one user error lists all problems), then
// runs; a failed run does not stop the rest. Collective.
PipelineResult run_experiment(const Experiment& experiment, const Workspace& workspace);

}  // namespace kdbench
