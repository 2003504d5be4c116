// SPDX-License-Identifier: MIT
// What the stages of one experiment are made from.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

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
  // The rows that [transfer] makes of tasks, by kind, where a method learns from them.
  std::map<std::pair<const Task*, std::string>, TransferSetStage*> transfer = {};
  // Whose keys have been worked out, by task, tokenizer, layout, training rows and the transfer set
  // that they are of; empty: the task's own rows.
  std::map<std::tuple<const Task*, std::filesystem::path, RowLayout, int64_t, std::string>,
           FeaturesStage*>
      features = {};

  // Of a task, of all kinds.
  std::vector<TransferSetStage*> sets_of(const Task& task) const;
};

// What all features of a task are made from, for a tokenizer's folder.
FeatureRequest feature_request(const StageContext& context, const Task& task,
                               const std::filesystem::path& tokenizer);

// The rows of a task as the model's tokenizer cuts them. Collective.
FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model);

// Those that a teacher is fine-tuned on. Collective.
FeaturesStage& features_of(StageContext& context, const Task& task, const TeacherSettings& teacher);

// The rows of a task as a language model like this reads them. Collective.
FeaturesStage& texts_of(StageContext& context, const Task& task, const ModelSettings& model,
                        const TextSettings& texts);

// What a model like this learns from, as its tokenizer cuts it: the task's transfer set of a kind,
// or (empty) its training rows. Collective.
TrainingRows training_rows_of(StageContext& context, const Task& task, const ModelSettings& model,
                              const std::string& transfer);

}  // namespace kdbench
