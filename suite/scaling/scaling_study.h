// SPDX-License-Identifier: MIT
// A scaling study: one training of an experiment, again and again on several numbers of ranks in
// turn, so that noise of the machine meets all of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "reports/scaling.h"

namespace kdbench {

struct ScalingSettings {
  std::vector<int> ranks;
  ScalingMode mode = ScalingMode::kStrong;
  std::string method;
  int64_t batch = 0;             // of the experiment, for the fewest ranks
  std::filesystem::path stages;  // what trainings share
  std::string launcher = "mpirun -n {ranks}";
  // The command behind the launcher, but for what differs: "kdbench distill EXPERIMENT ...".
  std::vector<std::string> command;
  int least_rounds = 1, most_rounds = 5;
  double precision = 0.02;  // half of each median's 95 % interval, as a part of it: enough
  double budget_s = 0.0;    // no round begins that would end behind it; 0: none
};

struct ScalingStudy {
  std::vector<ScalingRun> runs;
  int rounds = 0;
  bool precise = false;  // every median is as certain as was asked for
  bool out_of_budget = false;
  std::string
      failure;  // of a run in a later round, which ended the study; runs are those before it
};

// Runs of it lie in `folder`, one an output folder of its own, so that no run is taken for another;
// what they share (rows, teacher, its outputs) is made once. `say`: a line on each run. Throws a
// user error where a run of the first round fails: its log is named.
ScalingStudy make_scaling_study(const ScalingSettings& settings,
                                const std::filesystem::path& folder,
                                const std::function<void(const std::string&)>& say);

}  // namespace kdbench
