// SPDX-License-Identifier: MIT
// What the stages of one experiment are made from.
#pragma once

#include <filesystem>
#include <map>
#include <tuple>

#include "suite/config/experiment.h"
#include "suite/graph/graph.h"
#include "suite/stages/rows/features_stage.h"
#include "suite/stages/rows/training_rows.h"
#include "suite/stages/rows/words_stage.h"

namespace kdbench {

class TransferSetStage;

// All of it outlives the stages.
struct StageContext {
  const Experiment& experiment;  // with its data in place
  Graph& graph;
  const Workspace& workspace;
  Stage* corpora = nullptr;  // where the data are the embedded ones
  // The words of the tasks' files, where a model reads those.
  std::map<const Task*, WordsStage*> words = {};
  // The rows that [transfer] makes of tasks, where a method learns from them.
  std::map<const Task*, TransferSetStage*> transfer = {};
  // Whose keys have been worked out, by task, tokenizer, layout, training rows and whether they are
  // the transfer set's.
  std::map<std::tuple<const Task*, std::filesystem::path, RowLayout, int64_t, bool>, FeaturesStage*>
      features = {};
};

// What all features of a task are made from, for a tokenizer's folder.
FeatureRequest feature_request(const StageContext& context, const Task& task,
                               const std::filesystem::path& tokenizer);

// The rows of a task as the model's tokenizer cuts them. Collective.
FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model);

// Those that a teacher is fine-tuned on. Collective.
FeaturesStage& features_of(StageContext& context, const Task& task, const TeacherSettings& teacher);

// What a model like this learns from, as its tokenizer cuts it: the task's transfer set or its
// training rows. Collective.
TrainingRows training_rows_of(StageContext& context, const Task& task, const ModelSettings& model,
                              bool transfer);

}  // namespace kdbench
