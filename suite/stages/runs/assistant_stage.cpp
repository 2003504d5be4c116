// SPDX-License-Identifier: MIT
#include "suite/stages/runs/assistant_stage.h"

namespace kdbench {
namespace {

constexpr int kAssistantVersion = 1;

Learner assistant_learner(const ResolvedMethod& method, int64_t seed, FeaturesStage& rows,
                          std::shared_ptr<const Source> source, const Control& control) {
  const Experiment& experiment = *method.experiment;
  Learner learner;
  learner.experiment = experiment.name;
  learner.whole = &experiment;
  learner.config = [&method] { return run_config(*method.experiment, *method.task, nullptr); };
  learner.role = learner.label = kAssistant;
  learner.task = method.task;
  learner.seed = seed;
  learner.train = experiment.assistant_train_of(method.task->name);
  learner.model = model_of(*experiment.assistant, learner.train, *method.task, seed, control);
  learner.rows = &rows;
  learner.training = {&rows};
  if (source) {
    learner.method_name = method.settings->name;
    learner.method = [&method] { return method.make(); };
    learner.resolved = &method;
    learner.source = std::move(source);
  }
  return learner;
}

StageKey assistant_key(const Learner& learner) {
  nlohmann::json inputs{{"features", learner.rows->hash()},
                        {"model", stage_model_inputs(learner.model)}};
  if (learner.source) {
    inputs["teacher"] = learner.source->model->hash();
    inputs["method"] = learner.method_name;
    inputs["options"] = learner.resolved->option_inputs;
    inputs["train"] = to_json(learner.train);
    inputs["train"].erase("seeds");
  }
  return {kAssistant, kAssistantVersion, inputs};
}

}  // namespace

bool trains_assistant(const Experiment& experiment) {
  return experiment.assistant && experiment.assistant->train;
}

ModelStage& assistant_stage(StageContext& context, const ResolvedMethod& method, int64_t seed,
                            std::shared_ptr<const Source> source) {
  FeaturesStage& rows = features_of(context, *method.task, context.experiment.assistant->model);
  Learner learner =
      assistant_learner(method, seed, rows, std::move(source), context.workspace.control);
  const StageKey key =
      key_from_root(context.workspace.control, [&] { return assistant_key(learner); });
  return context.graph.add<ModelStage>(
      key.hash(), [&] { return std::make_unique<ModelStage>(std::move(learner), key); });
}

}  // namespace kdbench
