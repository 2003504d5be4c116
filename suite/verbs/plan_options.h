// SPDX-License-Identifier: MIT
// --dry-run, and the machine that is planned for: of all verbs that make an experiment's runs.
#pragma once

#include "suite/verbs/experiment_options.h"
#include "suite/walks/plan.h"

namespace kdbench {

struct PlanOptions {
  bool dry_run = false;
  int ranks = 0;  // 0: as many as there are now
  int ranks_per_node = 0;
  double node_memory = 0.0;  // GB
  double disk = 0.0;         // GB
  double gflops = 0.0;       // of a rank, in matrix products
};

void add_plan_options(CLI::App& app, PlanOptions& options);

// What needs --dry-run is refused without it. Local; throws a user error.
void check_plan_options(const PlanOptions& options);

// Answers what making the selected runs would take; nothing is written. Collective.
ExitCode print_plan(const Experiment& experiment, const PlanOptions& options,
                    const Selection& selection, ExperimentPart part, Existing existing,
                    const Workspace& workspace, Answer& answer);

// Of the verbs that make an experiment's runs: which of them, or the plan alone.
struct RunOptions : ExperimentOptions {
  std::vector<std::string> stages;  // names of groups; none: all of it
  PlanOptions plan;
};

// All options of such a verb.
void add_run_options(CLI::App& app, RunOptions& options);

// Makes the selected runs and prints their table, or prints the plan. Collective.
ExitCode make_or_plan(const RunOptions& options, const VerbContext& context);

}  // namespace kdbench
