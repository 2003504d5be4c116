// SPDX-License-Identifier: MIT
#include "suite/stages/rows/stage_context.h"

#include "suite/models/initial_model.h"

namespace kdbench {

FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model) {
  const std::filesystem::path tokenizer = tokenizer_folder(model);
  const auto found = context.features.find({&task, tokenizer});
  if (found != context.features.end()) return *found->second;
  const Experiment& experiment = context.experiment;
  const FeatureRequest request{experiment.data.root,
                               &task,
                               tokenizer,
                               experiment.max_seq_length_of(task.name),
                               experiment.train_limit_of(task.name),
                               experiment.data.synthetic};
  FeaturesStage& stage = features_stage(context.graph, request, context.workspace);
  if (context.corpora) stage.need(*context.corpora);
  context.features[{&task, tokenizer}] = &stage;
  return stage;
}

}  // namespace kdbench
