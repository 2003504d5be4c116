// SPDX-License-Identifier: MIT
#include "io/base/text.h"
#include "methods/models/registry.h"
#include "suite/verbs/plan_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct RunOptions : ExperimentOptions {
  PlanOptions plan;
};

ExitCode run(const RunOptions& options, const VerbContext& context) {
  context.control.agree([&] { check_plan_options(options.plan); });
  const Experiment experiment = load_selected(options, context);
  const Session session(options.session, context);
  if (options.plan.dry_run) {
    return print_plan(experiment, options.plan, options.selection, ExperimentPart::kAll,
                      session.workspace());
  }
  return finish_experiment(make_experiment(experiment, session.workspace(), options.selection),
                           context);
}

}  // namespace

Verb run_verb() {
  return {"run",
          "Every task x method x seed of an experiment through all its stages, then the comparison "
          "table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_method_option(app, *options);
            add_plan_options(app, options->plan);
            app.footer("Models without weights, by their published sizes (preset = \"...\"): " +
                       joined(preset_names(), ", ") + ".");
            return [options](const VerbContext& context) { return run(*options, context); };
          }};
}

}  // namespace kdbench
