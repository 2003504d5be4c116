// SPDX-License-Identifier: MIT
#include "suite/results/experiment_record.h"
#include "suite/results/inspection.h"
#include "suite/verbs/registry.h"

namespace kdbench {
namespace {

Contents experiment_of(const std::string& path) {
  const std::string toml = recorded_experiment(path);
  return {toml, {{"kind", "experiment file"}, {"toml", toml}}};
}

}  // namespace

Verb inspect_verb() {
  return {"inspect",
          "What a store, a weights file, a folder of results or an experiment holds; checks it",
          [](CLI::App& app) -> VerbAction {
            auto path = std::make_shared<std::string>();
            auto experiment = std::make_shared<bool>(false);
            app.add_flag("--experiment", *experiment,
                         "the experiment file (TOML) that a run came from: of its folder, or of a "
                         "record in <out>/<experiment>/experiments");
            app.add_option("FILE", *path,
                           ".h5, .safetensors, .toml, or a folder of results (a run, a stage, all)")
                ->required();
            return [path, experiment](const VerbContext& context) {
              context.control.on_root([&] {
                const Contents found = *experiment ? experiment_of(*path) : inspect(*path);
                context.answer.text(found.text);
                context.answer.data.update(found.data);
              });
              return ExitCode::kDone;
            };
          },
          /*alone=*/true};
}

}  // namespace kdbench
