// SPDX-License-Identifier: MIT
#include "suite/verbs/run.h"

#include "suite/verbs/experiment_options.h"

namespace kdbench {
namespace {

struct RunOptions : ExperimentOptions {
  bool dry_run = false;
  int ranks = 0;
};

ExitCode run(const RunOptions& options, const VerbContext& context) {
  Experiment experiment;
  context.control.agree([&] {
    if (options.dry_run || options.ranks) throw_user_error("--dry-run", "not available yet");
    experiment = load_experiment(options.experiment, options.overrides);
  });
  const Session session(options.session, context);
  return finish_experiment(run_experiment(experiment, session.workspace()), context);
}

}  // namespace

Verb run_verb() {
  return {"run",
          "Every task x method x seed of an experiment through all its stages, then the comparison "
          "table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            add_experiment_options(app, *options);
            app.add_flag("--dry-run", options->dry_run, "(not available yet)");
            app.add_option("--ranks", options->ranks, "of --dry-run (not available yet)");
            return [options](const VerbContext& context) { return run(*options, context); };
          }};
}

}  // namespace kdbench
