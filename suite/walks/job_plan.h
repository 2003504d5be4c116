// SPDX-License-Identifier: MIT
// The walk that divides an experiment among jobs: what each makes, what it waits for, what it
// takes. A job makes a group's stages of one student's needs, so that `run --stages GROUP --tasks T
// --method M --seeds S` says the same by hand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/selection.h"
#include "suite/graph/stage_groups.h"
#include "suite/ranks/workspace.h"
#include "suite/walks/plan.h"

namespace kdbench {

// One call of the program.
struct JobUnit {
  std::string task = {};
  std::string label = {};  // of the student whose needs are meant; "": of all students of the task
  int64_t seed = 0;
  std::string state = {};  // done | running | failed | missing
  std::string why = {};    // running: "host:pid"; failed: the reason
  double seconds = 0.0;    // of what is to be made
  // Units, by group and number, that make what it needs, as far as it is not there.
  std::vector<std::pair<StageGroup, size_t>> after = {};

  bool done() const { return state == "done"; }
  // "MRPC kd seed 1", "MRPC"
  std::string name() const;
};

// All units that make stages of a group, also those that are done: in the same order and number
// whatever is there already.
struct JobGroup {
  StageGroup group = StageGroup::kPrepare;
  std::vector<JobUnit> units;
  bool computes = false;   // with models; else rows are made, for which one node is enough
  int64_t host_bytes = 0;  // of a host with all of its ranks, at most
  double seconds = 0.0;    // of its longest unit
};

// In the order in which they are made; groups without stages are left out. Throws one user error
// that lists every problem of the experiment, its data and its weights. Local.
std::vector<JobGroup> plan_jobs(const Experiment& experiment, const Selection& selection,
                                const PlanTarget& target, const Workspace& workspace);

// What finished runs took.
struct Measured {
  double flops_per_s = 0.0;  // of a rank in training, all else that a run does counted as time; the
                             // median; 0 where there are none
  int64_t rank_bytes = 0;    // of a rank, the most
};
// Of the runs below `folder` on a `device` ("cpu" or "cuda"). Local.
Measured measured_runs(const std::filesystem::path& folder, const std::string& device);

}  // namespace kdbench
