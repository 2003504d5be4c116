// SPDX-License-Identifier: MIT
// Runs that differ in nothing but the seed: what a row of the tables is about. Runs of one label
// whose settings differ (other epochs by --set, say) are never averaged.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reports/run_fields.h"

namespace kdbench {

// What a group stands for when it is the best point of a grid.
struct GridSearch {
  size_t points = 0;       // 0: no grid
  size_t without_run = 0;  // points of which no run is done
  bool uneven = false;     // points with runs differ in finished seeds
};

struct RunGroup {
  std::string experiment;
  std::string task;        // as shown
  std::string label;       // as shown: with what differs from another group of the same label
  std::string difference;  // what of the label tells it apart from its namesakes
  std::string method;      // its registered name
  std::string grid;        // the label that the points of a grid share; "" without a grid
  std::map<std::string, std::string> point;  // values of the grid's keys, as text
  GridSearch searched;
  bool teacher = false;
  bool assistant = false;  // between teacher and student (TAKD)
  bool selected = false;   // its scores are of the best checkpoint, selected on dev
  std::vector<const nlohmann::json*> done;  // one a seed, by seed
  size_t failed = 0, stopped = 0;
  size_t repeated = 0;  // done runs of a seed that was there already

  bool same_task(const RunGroup& other) const {
    return experiment == other.experiment && task == other.task;
  }
  bool student() const { return !teacher && !assistant; }
  const char* checkpoint() const { return selected ? "best" : "last"; }
  // The values of a metric, by seed; runs without it are left out. `checkpoint` as of metrics_of,
  // "": the one that the run kept.
  std::vector<double> metric(const std::string& name, const std::string& checkpoint = "") const;
  // Mean of the numbers at a path; none without any.
  std::optional<double> mean_of(const std::string& path) const;
  Rate rate(const std::string& path, const std::string& seconds) const;
  // Adds what its runs ran on (machine_of).
  void add_machines(std::set<std::string>& machines) const;
};

// By experiment and task in order of first appearance; teachers, then assistants, plain fine-tuning
// and its variants, and the methods. Points into `runs`. Runs whose task is not known (killed
// before run.json), and language models, whose scores are others, are in no group.
std::vector<RunGroup> group_runs(const std::vector<nlohmann::json>& runs);

// Names of all metrics of the groups' runs, those of first dev splits first, each kind sorted.
std::vector<std::string> metric_names(const std::vector<RunGroup>& groups,
                                      const std::string& checkpoint = "");
// Whether it is a metric of another than the first dev split.
bool of_other_split(const std::string& metric);

}  // namespace kdbench
