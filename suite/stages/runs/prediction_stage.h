// SPDX-License-Identifier: MIT
// What `predict` does: a saved model's predictions, logits and scores on a task, as a run without
// training in <out>/predict/<run-id>.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "suite/stages/runs/run_stage.h"

namespace kdbench {

class PredictionStage : public RunStage {
 public:
  explicit PredictionStage(Learner own);

 protected:
  nlohmann::json find_inputs(const Workspace& workspace) const override;
  std::string stem() const override;
};

// Predicts every split of `rows`. `model`: a Hugging Face folder with a classifier for the task;
// `trained_on`: the task that it was trained on, as far as that is known.
PredictionStage& prediction_stage(Graph& graph, const std::filesystem::path& model,
                                  const std::string& trained_on, const Task& task,
                                  FeaturesStage& rows, const Workspace& workspace);

}  // namespace kdbench
