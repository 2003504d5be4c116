// SPDX-License-Identifier: MIT
#include "suite/walks/status.h"

#include <fmt/core.h>

#include "suite/verbs/experiment_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

struct StatusOptions : ExperimentOptions {
  bool json = false;
};

void print_status(const Experiment& experiment, const StatusOptions& options,
                  const Workspace& workspace) {
  const auto stages = status_of(experiment, workspace, options.selection);
  fmt::print("{}",
             options.json ? status_json(experiment, stages).dump(2) + "\n" : status_text(stages));
}

ExitCode status(const StatusOptions& options, const VerbContext& context) {
  const Experiment experiment = load_selected(options, context);
  const Session session(options.session, context);
  context.control.on_root([&] { print_status(experiment, options, session.workspace()); });
  return ExitCode::kDone;
}

}  // namespace

Verb status_verb() {
  return {"status",
          "Every stage and run of an experiment: done, running (where, since), failed (why), "
          "waiting (for what), missing",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<StatusOptions>();
            add_experiment_options(app, *options);
            add_selection_options(app, *options);
            add_method_option(app, *options);
            app.add_flag("--json", options->json, "as JSON");
            app.footer(
                "Looks only: nothing is made, written or waited for, so that it may be asked while "
                "jobs are at work in the same --out.");
            return [options](const VerbContext& context) { return status(*options, context); };
          }};
}

}  // namespace kdbench
