// SPDX-License-Identifier: MIT
#include "suite/stages/prediction.h"

#include <fmt/core.h>

#include "io/base/sha256.h"
#include "suite/stages/run_place.h"
#include "suite/stages/training_run.h"

namespace kdbench {
namespace {

constexpr int kPredictionVersion = 1;
constexpr const char* kPredict = "predict";  // the experiment, the label and the role

}  // namespace

std::filesystem::path ensure_predictions(const TrainedModel& model,
                                         const std::filesystem::path& folder,
                                         const Features& features, const Workspace& workspace) {
  TrainingRun run;
  run.experiment = run.role = run.label = kPredict;
  run.method_name = "none";
  run.task = model.task;
  run.seed = 0;  // nothing is drawn
  run.inputs = {{"version", kPredictionVersion},
                {"task", model.task->name},
                {"model", model.sha256},
                {"labels", model.model->config().labels},
                {"features", features.hash}};
  const RunPlace place(
      workspace, kPredict,
      fmt::format("{}-{}-{}", model.task->name, kPredict, json_hash(run.inputs, 8)));
  if (place.done()) return place.folder();

  run.folder = place.folder();
  run.run_id = place.run_id();
  run.config = {{"model", std::filesystem::absolute(folder).string()}};
  run.data = describe(features);
  run.models = {{kStudent, model.model.get()}};
  run.features = &features.store;
  run.keep_model = false;
  execute(run, workspace);
  return run.folder;
}

}  // namespace kdbench
