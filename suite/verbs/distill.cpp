// SPDX-License-Identifier: MIT
#include "suite/verbs/plan_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {

Verb distill_verb() {
  return {"distill",
          "Some student runs of an experiment, the very runs that `run` makes and then reuses",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            add_run_options(app, *options);
            app.footer(
                "What the students need is made first: features, the teacher, its outputs. Jobs "
                "that run at the same time with the same --out share it.");
            return
                [options](const VerbContext& context) { return make_or_plan(*options, context); };
          }};
}

}  // namespace kdbench
