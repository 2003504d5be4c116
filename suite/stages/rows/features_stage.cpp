// SPDX-License-Identifier: MIT
#include "suite/stages/rows/features_stage.h"

#include <fmt/core.h>

#include <algorithm>

#include "io/tasks/own_task.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

SplitSize size_of(const FeatureSplit& split) {
  SplitSize size{split.name, split.rows(), static_cast<int64_t>(split.tokens.size()), 0};
  for (int64_t row = 0; row < split.rows(); ++row) {
    size.longest = std::max(size.longest, split.offsets[row + 1] - split.offsets[row]);
  }
  return size;
}

}  // namespace

std::string FeaturesStage::title_of(const FeatureRequest& request) {
  const std::string& task = request.task->name;
  if (request.text) return task + " texts";
  if (request.files != TaskFiles::kNone) return task;
  return task + " transfer set by " + request.transfer.front().kind;
}

Cost FeaturesStage::cost(TrainingCosts&, const Workspace& workspace) {
  const FeatureStore& store = rows(workspace).store;
  Cost cost;
  cost.rows_bytes = rows_bytes(store);
  std::vector<std::string> names;
  for (const auto& spec : request_.task->splits) names.push_back(spec.name);
  names.emplace_back(kTransferSplit);
  for (const auto& name : names) {
    const auto found = store.splits.find(name);
    if (found == store.splits.end()) continue;
    cost.disk_bytes += stored_bytes(*found->second);
    cost.splits.push_back(size_of(*found->second));
  }
  return cost;
}

const Features& FeaturesStage::rows(const Workspace& workspace) {
  if (rows_) return *rows_;
  Features features;
  features.file = folder(workspace) / "features.h5";
  features.hash = hash();
  features.synthetic = request_.synthetic;
  features.declaration = declaration(*request_.task);
  if (done(workspace)) {
    const fs::path& stage = contents(workspace);
    workspace.control.agree_reading([&] {
      read_stage(stage, [&] {
        features.store = read_feature_store(features.file, workspace.control.host());
      });
    });
  } else {
    workspace.control.agree([&] { features.store = tokenize(request_, workspace); });
  }
  rows_ = std::move(features);
  for (const auto& [name, split] : rows_->store.splits) {
    if (split->left_out == 0) continue;
    workspace.say_once(fmt::format("{} {}: {} {} with too few cells left out", request_.task->name,
                                   name, split->left_out, split->left_out == 1 ? "row" : "rows"));
  }
  return *rows_;
}

bool FeaturesStage::make_in(const fs::path& partial, const Workspace& workspace) {
  workspace.say(fmt::format("{}: preparing features", title()));
  prepare_features(request_, partial / "features.h5", workspace);
  return true;
}

FeaturesStage& features_stage(Graph& graph, const FeatureRequest& request,
                              const Workspace& workspace) {
  const StageKey key = key_from_root(workspace.control, [&] {
    for (const auto& note : load_tokenizer(request.tokenizer)->notes())
      workspace.say_once(request.tokenizer.string() + ": " + note);
    return features_key(request);
  });
  return graph.add<FeaturesStage>(key.hash(),
                                  [&] { return std::make_unique<FeaturesStage>(request, key); });
}

}  // namespace kdbench
