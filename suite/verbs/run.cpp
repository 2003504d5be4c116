// SPDX-License-Identifier: MIT
#include <fmt/core.h>

#include "io/base/text.h"
#include "methods/models/registry.h"
#include "suite/config/experiment_text.h"
#include "suite/verbs/experiment_options.h"
#include "suite/verbs/registry.h"
#include "suite/walks/plan_text.h"

namespace kdbench {
namespace {

struct RunOptions : ExperimentOptions {
  bool dry_run = false;
  int ranks = 0;
};

// What the run would do, from the root rank to stdout; nothing is written.
void print_plan(const Experiment& experiment, int ranks, const Workspace& workspace) {
  const Plan plan = make_plan(experiment, ranks > 0 ? ranks : workspace.control.size(), workspace);
  fmt::print("Resolved experiment ({})\n\n{}\n{}", experiment.file.string(),
             experiment_text(experiment), plan_text(plan));
}

ExitCode run(const RunOptions& options, const VerbContext& context) {
  Experiment experiment;
  context.control.agree([&] {
    if (options.ranks > 0 && !options.dry_run) {
      throw_user_error("--ranks", "belongs to --dry-run",
                       "mpirun -n or srun -n says how many ranks a run has");
    }
    experiment = load_experiment(options.experiment, options.overrides);
  });
  const Session session(options.session, context);
  if (options.dry_run) {
    context.control.on_root([&] { print_plan(experiment, options.ranks, session.workspace()); });
    return ExitCode::kDone;
  }
  return finish_experiment(make_experiment(experiment, session.workspace()), context);
}

}  // namespace

Verb run_verb() {
  return {"run",
          "Every task x method x seed of an experiment through all its stages, then the comparison "
          "table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            add_experiment_options(app, *options);
            app.add_flag("--dry-run", options->dry_run,
                         "check everything and print the plan: stages, steps, memory, disk");
            app.add_option("--ranks", options->ranks, "plan for N ranks (default: these)")
                ->check(CLI::PositiveNumber);
            app.footer("Models without weights, by their published sizes (preset = \"...\"): " +
                       joined(preset_names(), ", ") + ".");
            return [options](const VerbContext& context) { return run(*options, context); };
          }};
}

}  // namespace kdbench
