// SPDX-License-Identifier: MIT
#include "suite/verbs/plan_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct DistillOptions : ExperimentOptions {
  PlanOptions plan;
};

ExitCode distill(const DistillOptions& options, const VerbContext& context) {
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

Verb distill_verb() {
  return {"distill",
          "Some student runs of an experiment, the very runs that `run` makes and then reuses",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<DistillOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_method_option(app, *options);
            add_plan_options(app, options->plan);
            app.footer(
                "What the students need is made first: features, the teacher, its outputs. Jobs "
                "that run at the same time with the same --out share it.");
            return [options](const VerbContext& context) { return distill(*options, context); };
          }};
}

}  // namespace kdbench
