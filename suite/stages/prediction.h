// SPDX-License-Identifier: MIT
// What `predict` does: a saved model's predictions, logits and scores on a task, as a run without
// training.
#pragma once

#include <filesystem>

#include "suite/models/model_setup.h"
#include "suite/ranks/workspace.h"
#include "suite/stages/features.h"

namespace kdbench {

// Predicts every split but the training rows, or takes the finished run with the same inputs.
// `folder`: where the model lies, for the record. Returns <out>/predict/<run-id>. Collective.
std::filesystem::path ensure_predictions(const TrainedModel& model,
                                         const std::filesystem::path& folder,
                                         const Features& features, const Workspace& workspace);

}  // namespace kdbench
