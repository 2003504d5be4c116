// SPDX-License-Identifier: MIT
// A scaling study: the same training on several numbers of ranks, as a table.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "reports/table.h"

namespace kdbench {

// How the work grows with the ranks: not at all (the batch is the same, ranks share it), or with
// them (each rank's part of the batch is the same).
enum class ScalingMode { kStrong, kWeak };

// One training of a study.
struct ScalingRun {
  int ranks = 1, threads = 1, hosts = 1;
  std::string folder;
  nlohmann::json system;       // of the record
  int64_t batch = 0;           // rows of a step, over all ranks
  std::vector<double> step_s;  // of each step, but those that warm up
  std::vector<double> losses;  // of each step
  double train_s = 0, compute_s = 0, wait_s = 0, comm_exposed_s = 0, data_s = 0;
};

// From a run's record and its events. Throws a user error that names what is missing.
ScalingRun read_scaling_run(const std::string& folder);

// All runs on so many ranks.
struct ScalingPoint {
  int ranks = 1, runs = 0;
  int64_t batch = 0;
  double step_s = 0;      // median over the steps of all runs
  double half_width = 0;  // of the median's 95 % interval, as a part of it; 1 where there is none
  double samples_per_s = 0;
  double speed_up = 0;    // in samples/s over the fewest ranks
  double efficiency = 0;  // speed-up over that of the ideal
  double ideal_samples_per_s = 0;
  double comm_exposed = 0, imbalance = 0, data = 0;  // parts of the training's time
  double loss_difference = 0;  // of strong scaling: largest of a step to that of the fewest ranks,
                               // as a part of it
};

// In order of ranks. Runs of one mode, of at least one number of ranks.
std::vector<ScalingPoint> scaling_points(const std::vector<ScalingRun>& runs);

Table scaling_table(const std::vector<ScalingPoint>& points, ScalingMode mode);

}  // namespace kdbench
