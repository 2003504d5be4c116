// SPDX-License-Identifier: MIT
#include "suite/stages/rows/words_stage.h"

#include <fmt/core.h>

#include "io/base/partial_file.h"
#include "io/tokenizers/word_vocabulary.h"
#include "suite/config/every_model.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr int kWordsVersion = 1;

void write_words(const FeatureRequest& request, const fs::path& folder) {
  std::string text;
  for (const auto& word : words_of(request)) text += word + "\n";
  write_file(folder / "vocab.txt", text);
}

}  // namespace

WordsStage::WordsStage(FeatureRequest request, StageKey key)
    : SharedStage(std::move(key), request.task->name, request.task->name),
      request_(std::move(request)) {}

Cost WordsStage::cost(TrainingCosts&, const Workspace& workspace) {
  Cost cost;
  cost.disk_bytes = static_cast<int64_t>(fs::file_size(vocabulary(workspace) / "vocab.txt"));
  return cost;
}

fs::path WordsStage::vocabulary(const Workspace& workspace) {
  if (done(workspace)) return contents(workspace);
  std::string path;
  workspace.control.on_root([&] {
    if (!scratch_) {
      scratch_ = std::make_unique<ScratchFolder>();
      write_words(request_, scratch_->path());
    }
    path = scratch_->path().string();
  });
  return workspace.control.broadcast(path);
}

bool WordsStage::make_in(const fs::path& partial, const Workspace& workspace) {
  workspace.say(fmt::format("{}: collecting words", request_.task->name));
  workspace.control.on_root([&] { write_words(request_, partial); });
  return true;
}

WordsStage& words_stage(Graph& graph, const FeatureRequest& request, const Workspace& workspace) {
  const StageKey key = key_from_root(workspace.control, [&]() -> StageKey {
    return {"words", kWordsVersion, words_inputs(request)};
  });
  return graph.add<WordsStage>(key.hash(),
                               [&] { return std::make_unique<WordsStage>(request, key); });
}

void take_words(Experiment& experiment, const Task& task, const fs::path& folder) {
  for_every_model(experiment, [&](ModelSettings& model) {
    if (reads_own_words(model)) model.words[task.name] = folder;
  });
}

bool any_reads_own_words(const Experiment& experiment) {
  bool any = false;
  for_every_model(experiment,
                  [&](const ModelSettings& model) { any = any || reads_own_words(model); });
  return any;
}

}  // namespace kdbench
