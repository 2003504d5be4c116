// SPDX-License-Identifier: MIT
#include "suite/verbs/experiment_options.h"

#include <fmt/core.h>

#include "reports/comparison.h"

namespace kdbench {

void add_experiment_options(CLI::App& app, ExperimentOptions& options) {
  app.add_option("EXPERIMENT", options.experiment, "experiment file (TOML)")->required();
  app.add_option("--set", options.overrides,
                 "override a key: train.epochs=2, method.<label>.alpha=0.5")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  add_session_options(app, options.session);
}

void add_selection_options(CLI::App& app, ExperimentOptions& options) {
  const auto add_list = [&](const char* flag, auto& list, const char* help) {
    app.add_option(flag, list, help)
        ->delimiter(',')
        ->expected(1)  // what follows may be the experiment file
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  };
  add_list("--tasks", options.selection.tasks, "only these tasks, e.g. MRPC,SST-2");
  add_list("--seeds", options.selection.seeds, "only these seeds, e.g. 1,2");
}

Experiment load_selected(const ExperimentOptions& options, const VerbContext& context,
                         ExperimentPart part) {
  Experiment experiment;
  context.control.agree([&] {
    experiment = load_experiment(options.experiment, options.overrides, part);
    check_selection(options.selection, experiment, part);
  });
  return experiment;
}

ExitCode finish_experiment(const ExperimentRuns& result, const VerbContext& context) {
  context.control.on_root([&] {
    fmt::print("{}", write_summary(read_runs(result.runs)));
    fmt::print("\n{} runs done, {} reused, {} failed; results in {}\n", result.done, result.reused,
               result.failed, result.folder.string());
  });
  return result.failed > 0 ? ExitCode::kRunFailed : ExitCode::kDone;
}

}  // namespace kdbench
