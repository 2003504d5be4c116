// SPDX-License-Identifier: MIT
#include "io/base/text.h"
#include "methods/models/registry.h"
#include "suite/verbs/plan_options.h"
#include "suite/verbs/registry.h"

namespace kdbench {

Verb run_verb() {
  return {"run",
          "Every task x method x seed of an experiment through all its stages, then the comparison "
          "table",
          [](CLI::App& app) -> VerbAction {
            auto options = std::make_shared<RunOptions>();
            add_run_options(app, *options);
            app.footer("Models without weights, by their published sizes (preset = \"...\"): " +
                       joined(preset_names(), ", ") + ".");
            return
                [options](const VerbContext& context) { return make_or_plan(*options, context); };
          }};
}

}  // namespace kdbench
