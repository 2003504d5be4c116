// SPDX-License-Identifier: MIT
// The walk that makes: what an experiment, or a single verb, asks for and all that it needs.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/selection.h"
#include "suite/graph/stage.h"
#include "suite/graph/stage_groups.h"

namespace kdbench {

// What becomes of results that are there already.
enum class Existing {
  kReuse,   // they are left as they are, and what only they would have needed is not made
  kReplace  // they and all that they need are made again
};

// Makes stages, each once, what they need first.
class Maker {
 public:
  explicit Maker(const Workspace& workspace, Existing existing = Existing::kReuse)
      : workspace_(workspace), existing_(existing) {}

  // With kLeave what other jobs are making, and what needs it, has the outcome kBusy for now.
  // Collective.
  Outcome make(Stage& stage, IfBusy if_busy = IfBusy::kWait);
  // From now on each run among these stages is announced before it is made: "run 3 of 18: ...".
  void announce(const std::vector<Stage*>& undone);

 private:
  Outcome made(Stage& stage, IfBusy if_busy);
  void say_progress(const Stage& stage);

  const Workspace& workspace_;
  const Existing existing_;
  std::map<const Stage*, Outcome> outcomes_;
  std::set<const Stage*> awaited_;  // announced, not made yet
  // Found while another job made them: since when, as StageState::since.
  std::map<const Stage*, std::string> elsewhere_;
  size_t announced_ = 0;
  std::chrono::steady_clock::time_point started_;
};

// Reads what the stages that are still to be made read of the user, and throws one user error that
// lists every problem, those of `problems` among them. Returns those stages, needs first.
// Collective.
std::vector<Stage*> check_stages(const std::vector<Stage*>& targets, Problems& problems,
                                 const std::string& where, const Workspace& workspace,
                                 Existing existing = Existing::kReuse);

struct ExperimentRuns {
  // Students; teachers where they alone are made; stages where groups of them are.
  int64_t done = 0, reused = 0, failed = 0;
  std::filesystem::path folder;             // <out>/<experiment>
  std::vector<std::filesystem::path> runs;  // task by task, students before teachers
};

// The main job: every task x method x seed of an experiment, or some of them, through all stages;
// with ExperimentPart::kTeachers the teachers alone; with `groups`, of what these runs need, the
// stages of those groups and what they need. Everything is checked before the first is trained; a
// failed run does not stop the rest. Jobs that share workspace.out take different runs: what
// another one is making is left for later. Collective.
ExperimentRuns make_experiment(const Experiment& experiment, const Workspace& workspace,
                               const Selection& selection = {},
                               ExperimentPart part = ExperimentPart::kAll,
                               Existing existing = Existing::kReuse,
                               const std::set<StageGroup>& groups = {});

}  // namespace kdbench
