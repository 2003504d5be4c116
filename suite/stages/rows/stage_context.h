// SPDX-License-Identifier: MIT
// What the stages of one experiment are made from.
#pragma once

#include <filesystem>
#include <map>
#include <utility>

#include "suite/config/experiment.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/features_stage.h"

namespace kdbench {

// All of it outlives the stages.
struct StageContext {
  const Experiment& experiment;  // with its data in place
  Graph& graph;
  const Workspace& workspace;
  Stage* corpora = nullptr;  // where the data are the embedded ones
  // Whose keys have been worked out, by task and tokenizer.
  std::map<std::pair<const Task*, std::filesystem::path>, FeaturesStage*> features = {};
};

// The rows of a task as the model's tokenizer cuts them. Collective.
FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model);

}  // namespace kdbench
