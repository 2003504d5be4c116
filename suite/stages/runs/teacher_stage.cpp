// SPDX-License-Identifier: MIT
#include "suite/stages/runs/teacher_stage.h"

#include "methods/registry.h"

namespace kdbench {
namespace {

constexpr int kTeacherVersion = 1;

Learner teacher_learner(const Experiment& experiment, const Task& task, int64_t seed,
                        FeaturesStage& rows, const Control& control) {
  Learner learner;
  learner.experiment = experiment.name;
  learner.whole = &experiment;
  learner.config = [&experiment, &task] { return run_config(experiment, task, nullptr); };
  learner.role = learner.label = kTeacher;
  learner.task = &task;
  learner.seed = seed;
  learner.train = experiment.teacher_train_of(task.name);
  learner.model = model_of(*experiment.teacher, learner.train, task, seed, control);
  learner.rows = &rows;
  learner.training = {&rows};
  if (experiment.teacher->train) {
    learner.method_name = "finetune";
    learner.method = [] { return find_method("finetune").make(Options{}); };
  }
  return learner;
}

// What the teacher's weights and scores depend on.
StageKey teacher_key(const Learner& learner) {
  nlohmann::json inputs{{"features", learner.rows->hash()},
                        {"model", stage_model_inputs(learner.model)}};
  if (learner.method) {
    inputs["train"] = to_json(learner.train);
    inputs["train"].erase("seeds");
  }
  return {kTeacher, kTeacherVersion, inputs};
}

}  // namespace

ModelStage& teacher_stage(StageContext& context, const Task& task, int64_t seed) {
  const Experiment& experiment = context.experiment;
  Learner learner =
      teacher_learner(experiment, task, seed, features_of(context, task, *experiment.teacher),
                      context.workspace.control);
  const StageKey key =
      key_from_root(context.workspace.control, [&] { return teacher_key(learner); });
  return context.graph.add<ModelStage>(
      key.hash(), [&] { return std::make_unique<ModelStage>(std::move(learner), key); });
}

}  // namespace kdbench
