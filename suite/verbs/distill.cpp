// SPDX-License-Identifier: MIT
#include "suite/verbs/experiment_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

ExitCode distill(const ExperimentOptions& options, const VerbContext& context) {
  const Experiment experiment = load_selected(options, context);
  const Session session(options.session, context);
  return finish_experiment(make_experiment(experiment, session.workspace(), options.selection),
                           context);
}

}  // namespace

Verb distill_verb() {
  return {"distill",
          "Some student runs of an experiment, the very runs that `run` makes and then reuses",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<ExperimentOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            app.add_option("--method", options->selection.methods,
                           "only the method with this label (a grid's label: all its points); may "
                           "be repeated")
                ->expected(1)
                ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
            app.footer(
                "What the students need is made first: features, the teacher, its outputs. Jobs "
                "that run at the same time with the same --out share it.");
            return [options](const VerbContext& context) { return distill(*options, context); };
          }};
}

}  // namespace kdbench
