// SPDX-License-Identifier: MIT
#include "suite/stages/rows/corpora_stage.h"

#include "io/synthetic/synthetic.h"
#include "suite/config/every_model.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

StageKey corpora_key(const SyntheticSettings& settings) {
  nlohmann::json inputs{{"seed", settings.seed},
                        {"train_rows", settings.train_rows},
                        {"dev_rows", settings.dev_rows},
                        {"test_rows", settings.test_rows}};
  if (settings.label_noise > 0) inputs["label_noise"] = settings.label_noise;
  return {"synthetic", kSyntheticVersion, inputs};
}

}  // namespace

CorporaStage::CorporaStage(const SyntheticSettings& settings)
    : SharedStage(corpora_key(settings), "", "the embedded corpora"), settings_(settings) {}

Cost CorporaStage::cost(TrainingCosts&, const Workspace& workspace) {
  Cost cost;
  for (const auto& entry : fs::recursive_directory_iterator(root(workspace))) {
    if (entry.is_regular_file()) cost.disk_bytes += static_cast<int64_t>(entry.file_size());
  }
  return cost;
}

fs::path CorporaStage::root(const Workspace& workspace) {
  if (done(workspace)) return contents(workspace);
  std::string path;
  workspace.control.on_root([&] {
    if (!scratch_) {
      scratch_ = std::make_unique<ScratchFolder>();
      write_synthetic(scratch_->path(), settings_);
    }
    path = scratch_->path().string();
  });
  return workspace.control.broadcast(path);
}

bool CorporaStage::make_in(const fs::path& partial, const Workspace& workspace) {
  workspace.say("writing the synthetic corpora");
  workspace.control.on_root([&] { write_synthetic(partial, settings_); });
  return true;
}

CorporaStage& corpora_stage(Graph& graph, const DataSettings& data) {
  SyntheticSettings settings;
  settings.label_noise = data.label_noise;
  return graph.add<CorporaStage>(corpora_key(settings).hash(),
                                 [&] { return std::make_unique<CorporaStage>(settings); });
}

void take_corpora(Experiment& experiment, const fs::path& root) {
  experiment.data.root = root;
  for_every_model(experiment, [&](ModelSettings& model) {
    if (!model.weights && !model.tokenizer && !reads_own_words(model)) model.tokenizer = root;
  });
}

}  // namespace kdbench
