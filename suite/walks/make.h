// SPDX-License-Identifier: MIT
// The walk that makes: what an experiment, or a single verb, asks for and all that it needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/selection.h"
#include "suite/graph/stage.h"

namespace kdbench {

// Makes stages, each once, what they need first. What is done already is left as it is, and what
// only that would have needed is not made.
class Maker {
 public:
  explicit Maker(const Workspace& workspace) : workspace_(workspace) {}

  // Collective.
  const Outcome& make(Stage& stage);

 private:
  Outcome made(Stage& stage);

  const Workspace& workspace_;
  std::map<const Stage*, Outcome> outcomes_;
};

// Reads what the stages that are still to be made read of the user, and throws one user error that
// lists every problem, those of `problems` among them. Collective.
void check_stages(const std::vector<Stage*>& targets, Problems& problems, const std::string& where,
                  const Workspace& workspace);

struct ExperimentRuns {
  int64_t done = 0, reused = 0, failed = 0;  // students; teachers where they alone are made
  std::filesystem::path folder;              // <out>/<experiment>
  std::vector<std::filesystem::path> runs;   // task by task, students before teachers
};

// The main job: every task x method x seed of an experiment, or some of them, through all stages;
// with ExperimentPart::kTeachers the teachers alone. Everything is checked before the first is
// trained; a failed run does not stop the rest. Collective.
ExperimentRuns make_experiment(const Experiment& experiment, const Workspace& workspace,
                               const Selection& selection = {},
                               ExperimentPart part = ExperimentPart::kAll);

}  // namespace kdbench
