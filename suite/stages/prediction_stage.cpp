// SPDX-License-Identifier: MIT
#include "suite/stages/prediction_stage.h"

#include <fmt/core.h>

#include "io/weights/weight_files.h"

namespace kdbench {
namespace {

constexpr int kPredictionVersion = 1;
constexpr const char* kPredict = "predict";  // the experiment, the label and the role

Learner prediction_learner(const std::filesystem::path& model, const Task& task,
                           FeaturesStage& rows) {
  Learner learner;
  learner.experiment = learner.role = learner.label = kPredict;
  learner.task = &task;
  learner.seed = 0;  // nothing is drawn
  learner.config = [model] {
    return nlohmann::json{{"model", std::filesystem::absolute(model).string()}};
  };
  learner.model.settings.weights = model;
  learner.model.task = &task;
  learner.model.frozen = true;
  learner.rows = &rows;
  learner.keep_model = false;
  return learner;
}

}  // namespace

PredictionStage::PredictionStage(Learner own)
    : RunStage(own, fmt::format("{} {}", own.task->name, kPredict)) {}

nlohmann::json PredictionStage::find_inputs(const Workspace&) const {
  const ModelSettings& model = learner().model.settings;
  return {{"version", kPredictionVersion},
          {"task", learner().task->name},
          {"model", model_weights_sha256(*model.weights)},
          {"labels", resolve_config(model, *learner().task, std::nullopt).labels},
          {"features", learner().rows->hash()}};
}

std::string PredictionStage::stem() const {
  return fmt::format("{}-{}", learner().task->name, kPredict);
}

PredictionStage& prediction_stage(Graph& graph, const std::filesystem::path& model,
                                  const Task& task, FeaturesStage& rows) {
  return graph.add<PredictionStage>(fmt::format("{} {}", kPredict, task.name), [&] {
    return std::make_unique<PredictionStage>(prediction_learner(model, task, rows));
  });
}

}  // namespace kdbench
