// SPDX-License-Identifier: MIT
#include "suite/stages/runs/language_model_stage.h"

#include "io/tokenizers/tokenizer.h"
#include "methods/masked_token.h"
#include "methods/models/registry.h"
#include "methods/next_token.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

constexpr int kLanguageModelVersion = 1;

// How such a model learns.
void take_method(Learner& learner) {
  if (!find_architecture(learner.model.config.architecture).fills_masks) {
    learner.method_name = "next-token";
    learner.method = [] { return make_next_token(); };
    return;
  }
  learner.method_name = "masked-token";
  learner.method = [settings = learner.model.settings, task = learner.task] {
    return make_masked_token(masking_of(*load_tokenizer(tokenizer_folder(settings, *task))));
  };
}

Learner language_learner(StageContext& context, const Task& task, FeaturesStage& texts) {
  const Experiment& experiment = context.experiment;
  const TransferSettings& transfer = *experiment.transfer;
  Learner learner;
  learner.experiment = experiment.name;
  learner.whole = &experiment;
  learner.config = [&experiment, &task] {
    return run_config(experiment, task, nullptr, transfer_kind::kLanguageModel);
  };
  learner.role = learner.label = kLanguageModelRole;
  learner.task = &task;
  learner.train = experiment.language_train_of(task.name);
  learner.seed = learner.train.seeds.front();
  learner.model =
      model_of(*transfer.model, learner.train, task, learner.seed, context.workspace.control);
  learner.rows = &texts;
  learner.training = {&texts};
  learner.texts = transfer.language.texts;
  if (transfer.model->train) take_method(learner);
  return learner;
}

// What its weights and scores depend on.
StageKey language_key(const Learner& learner) {
  nlohmann::json inputs{{"features", learner.rows->hash()},
                        {"model", stage_model_inputs(learner.model)},
                        {"conditioned", learner.texts->conditioned}};
  if (learner.method) {
    inputs["train"] = to_json(learner.train);
    inputs["train"].erase("seeds");
  }
  return {kLanguageModelRole, kLanguageModelVersion, inputs};
}

}  // namespace

ModelStage& language_model_stage(StageContext& context, const Task& task) {
  const TransferSettings& transfer = *context.experiment.transfer;
  FeaturesStage& texts = texts_of(context, task, transfer.model->model, transfer.language.texts);
  Learner learner = language_learner(context, task, texts);
  const StageKey key =
      key_from_root(context.workspace.control, [&] { return language_key(learner); });
  return context.graph.add<ModelStage>(
      key.hash(), [&] { return std::make_unique<ModelStage>(std::move(learner), key); });
}

}  // namespace kdbench
