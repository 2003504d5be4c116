// SPDX-License-Identifier: MIT
#include "suite/stages/synthetic.h"

#include "io/synthetic/synthetic.h"
#include "suite/graph/stage_store.h"

namespace kdbench {

std::filesystem::path ensure_synthetic_data(const Workspace& workspace) {
  const SyntheticSettings settings;
  const StageKey key{"synthetic",
                     kSyntheticVersion,
                     {{"seed", settings.seed},
                      {"train_rows", settings.train_rows},
                      {"dev_rows", settings.dev_rows},
                      {"test_rows", settings.test_rows}}};
  return *ensure_stage(workspace, key, [&](const std::filesystem::path& partial) {
    workspace.say("writing the synthetic corpora");
    workspace.control.on_root([&] { write_synthetic(partial, settings); });
    return true;
  });
}

Experiment with_data_in_place(Experiment experiment, const Workspace& workspace) {
  if (!experiment.data.synthetic) return experiment;
  const std::filesystem::path folder = ensure_synthetic_data(workspace);
  const auto take_vocabulary = [&](ModelSettings& model) {
    if (!model.weights && !model.tokenizer) model.tokenizer = folder;
  };
  experiment.data.root = folder;
  if (experiment.teacher) take_vocabulary(experiment.teacher->model);
  if (experiment.assistant) take_vocabulary(experiment.assistant->model);
  if (experiment.student) take_vocabulary(*experiment.student);
  for (auto& method : experiment.methods) {
    if (method.student) take_vocabulary(*method.student);
  }
  return experiment;
}

}  // namespace kdbench
