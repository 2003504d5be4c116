// SPDX-License-Identifier: MIT
#include "suite/walks/status.h"

#include "suite/verbs/experiment_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

ExitCode status(const ExperimentOptions& options, const VerbContext& context) {
  const Experiment experiment = load_selected(options, context);
  const Session session(options.session, context);
  context.control.on_root([&] {
    const auto stages = status_of(experiment, session.workspace(), options.selection);
    context.answer.text(status_text(stages));
    context.answer.data.update(status_json(experiment, stages));
  });
  return ExitCode::kDone;
}

}  // namespace

Verb status_verb() {
  return {"status",
          "Every stage and run of an experiment: done, running (where, since), failed (why), "
          "waiting (for what), missing",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<ExperimentOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_method_option(app, *options);
            app.footer(
                "Looks only: nothing is made, written or waited for, so that it may be asked while "
                "jobs are at work in the same --out.");
            return [options](const VerbContext& context) { return status(*options, context); };
          }};
}

}  // namespace kdbench
