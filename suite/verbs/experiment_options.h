// SPDX-License-Identifier: MIT
// What the verbs that take an experiment file have in common: the file, --set, which of its runs,
// and the table at the end.
#pragma once

#include <string>
#include <vector>

#include "suite/verbs/session.h"
#include "suite/verbs/verb.h"
#include "suite/walks/make.h"

namespace kdbench {

struct ExperimentOptions {
  std::string experiment;
  std::vector<std::string> overrides;
  Selection selection;
  bool force = false;
  SessionOptions session;
};

// EXPERIMENT, --set and the session's options.
void add_experiment_options(CLI::App& app, ExperimentOptions& options);
// --tasks and --seeds.
void add_selection_options(CLI::App& app, ExperimentOptions& options);

// --method.
void add_method_option(CLI::App& app, ExperimentOptions& options);

// --force, of the verbs that make what is selected.
void add_force_option(CLI::App& app, ExperimentOptions& options);
Existing existing(const ExperimentOptions& options);

// The experiment with its overrides; what is selected must be in it. Collective.
Experiment load_selected(const ExperimentOptions& options, const VerbContext& context,
                         ExperimentPart part = ExperimentPart::kAll);

// What was made, for programs. `runs`: the records. Local.
nlohmann::json runs_json(const ExperimentRuns& result, const std::vector<nlohmann::json>& runs);

// Prints the comparison table of the runs and where they lie. `counted`: what was counted.
// Collective.
ExitCode finish_experiment(const ExperimentRuns& result, const VerbContext& context,
                           const std::string& counted = "runs");

}  // namespace kdbench
