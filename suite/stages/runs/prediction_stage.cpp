// SPDX-License-Identifier: MIT
#include "suite/stages/runs/prediction_stage.h"

#include <fmt/core.h>

#include "io/base/text.h"
#include "io/weights/weight_files.h"

namespace kdbench {
namespace {

constexpr int kPredictionVersion = 2;
constexpr const char* kPredict = "predict";  // the experiment, the label and the role

Learner prediction_learner(const std::filesystem::path& model, const std::string& trained_on,
                           const Task& task, FeaturesStage& rows, const Control& control) {
  Learner learner;
  learner.experiment = learner.role = learner.label = kPredict;
  learner.task = &task;
  learner.seed = 0;  // nothing is drawn
  learner.config = [model] {
    return nlohmann::json{{"model", utf8_text(std::filesystem::absolute(model).string())}};
  };
  ModelSettings settings;
  settings.weights = model;
  control.agree([&] { learner.model = initial_model(settings, task); });
  learner.model.frozen = true;
  if (!trained_on.empty() && !task.is_called(trained_on)) learner.model.other_task = trained_on;
  learner.rows = &rows;
  learner.keep_model = false;
  return learner;
}

}  // namespace

PredictionStage::PredictionStage(Learner own)
    : RunStage(own, fmt::format("{} {}", own.task->name, kPredict)) {}

nlohmann::json PredictionStage::find_inputs(const Workspace&) const {
  const InitialModel& model = learner().model;
  return {{"version", kPredictionVersion},
          {"task", learner().task->name},
          {"model", model_weights_sha256(*model.settings.weights)},
          {"config", to_config_json(model.config)},
          {"labels", model.config.labels},
          {"features", learner().rows->hash()}};
}

std::string PredictionStage::stem() const {
  return fmt::format("{}-{}", learner().task->name, kPredict);
}

PredictionStage& prediction_stage(Graph& graph, const std::filesystem::path& model,
                                  const std::string& trained_on, const Task& task,
                                  FeaturesStage& rows, const Workspace& workspace) {
  return graph.add<PredictionStage>(fmt::format("{} {}", kPredict, task.name), [&] {
    return std::make_unique<PredictionStage>(
        prediction_learner(model, trained_on, task, rows, workspace.control));
  });
}

}  // namespace kdbench
