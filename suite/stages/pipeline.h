// SPDX-License-Identifier: MIT
// The main job: every task x method x seed of an experiment, or some of them, through all stages.
#pragma once

#include <filesystem>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/ranks/workspace.h"
#include "suite/stages/selection.h"
#include "suite/stages/teacher.h"

namespace kdbench {

struct PipelineResult {
  int64_t done = 0, reused = 0, failed = 0;
  std::filesystem::path folder;             // <out>/<experiment>
  std::vector<std::filesystem::path> runs;  // task by task, students before teachers
};

// Checks all models before the first run starts (one user error lists all problems), then runs what
// is selected; a failed run does not stop the rest. Collective.
PipelineResult run_experiment(const Experiment& experiment, const Workspace& workspace,
                              const Selection& selection = {});

// The experiment's teachers alone, task by task: what run_experiment would begin with. Collective.
std::vector<Teacher> make_teachers(const Experiment& experiment, const Workspace& workspace,
                                   const Selection& selection = {});

}  // namespace kdbench
