// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include "suite/results/inspection.h"
#include "suite/verbs/registry.h"

namespace kdbench {

Verb inspect_verb() {
  return {"inspect",
          "What a store, a weights file, a folder of results or an experiment holds; checks it",
          [](CLI::App& app) -> VerbAction {
            auto path = std::make_shared<std::string>();
            app.add_option("FILE", *path,
                           ".h5, .safetensors, .toml, or a folder of results (a run, a stage, all)")
                ->required();
            return [path](const VerbContext& context) {
              context.control.on_root([&] { fmt::print("{}", inspect(*path)); });
              return ExitCode::kDone;
            };
          }};
}

}  // namespace kdbench
