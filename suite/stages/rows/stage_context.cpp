// SPDX-License-Identifier: MIT
#include "suite/stages/rows/stage_context.h"

#include "suite/models/initial_model.h"

namespace kdbench {

FeatureRequest feature_request(const StageContext& context, const Task& task,
                               const std::filesystem::path& tokenizer) {
  const Experiment& experiment = context.experiment;
  return {experiment.data.root,
          &task,
          tokenizer,
          experiment.max_seq_length_of(task.name),
          experiment.train_limit_of(task.name),
          experiment.data.synthetic};
}

FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model) {
  const std::filesystem::path tokenizer = tokenizer_folder(model, task);
  const RowLayout layout = layout_of(model, task);
  auto& stage = context.features[{&task, tokenizer, layout}];
  if (stage) return *stage;
  FeatureRequest request = feature_request(context, task, tokenizer);
  request.layout = layout;
  stage = &features_stage(context.graph, request, context.workspace);
  if (context.corpora) stage->need(*context.corpora);
  if (reads_own_words(model)) stage->need(*context.words.at(&task));
  return *stage;
}

}  // namespace kdbench
