// SPDX-License-Identifier: MIT
#include "suite/stages/rows/stage_context.h"

#include "suite/models/initial_model.h"
#include "suite/stages/rows/transfer_stage.h"

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

namespace {

FeaturesStage& stage_of(StageContext& context, const Task& task, const ModelSettings& model,
                        int64_t train_limit, const std::string& transfer) {
  const std::filesystem::path tokenizer = tokenizer_folder(model, task);
  const RowLayout layout = layout_of(model, task);
  auto& stage = context.features[{&task, tokenizer, layout, train_limit, transfer}];
  if (stage) return *stage;
  FeatureRequest request = feature_request(context, task, tokenizer);
  request.layout = layout;
  request.train_limit = train_limit;
  TransferSetStage* const set = transfer.empty() ? nullptr : context.transfer.at({&task, transfer});
  if (set) {
    request.files = TaskFiles::kNone;
    request.transfer = {set->rows(context.workspace)};
  }
  stage = &features_stage(context.graph, request, context.workspace);
  if (set) stage->need(*set);
  if (context.corpora) stage->need(*context.corpora);
  if (reads_own_words(model)) stage->need(*context.words.at(&task));
  return *stage;
}

}  // namespace

std::vector<TransferSetStage*> StageContext::sets_of(const Task& task) const {
  std::vector<TransferSetStage*> sets;
  for (const auto& [of, set] : transfer) {
    if (of.first == &task) sets.push_back(set);
  }
  return sets;
}

FeaturesStage& features_of(StageContext& context, const Task& task, const ModelSettings& model) {
  return *training_rows_of(context, task, model, /*transfer=*/"").stage;
}

FeaturesStage& features_of(StageContext& context, const Task& task,
                           const TeacherSettings& teacher) {
  return stage_of(context, task, teacher.model,
                  context.experiment.train_limit_of(task.name, teacher), /*transfer=*/"");
}

FeaturesStage& texts_of(StageContext& context, const Task& task, const ModelSettings& model,
                        const TextSettings& texts) {
  FeatureRequest request = feature_request(context, task, tokenizer_folder(model, task));
  request.text = texts;
  if (!architecture_of(model).fills_masks) request.layout = RowLayout::kText;
  FeaturesStage& stage = features_stage(context.graph, request, context.workspace);
  if (context.corpora) stage.need(*context.corpora);
  return stage;
}

TrainingRows training_rows_of(StageContext& context, const Task& task, const ModelSettings& model,
                              const std::string& transfer) {
  // A set has a limit of its own.
  const int64_t limit = transfer.empty() ? context.experiment.train_limit_of(task.name) : 0;
  return {&stage_of(context, task, model, limit, transfer),
          transfer.empty() ? kTrainSplit : kTransferSplit};
}

}  // namespace kdbench
