// SPDX-License-Identifier: MIT
// The rows that a model learns from, as one tokenizer cuts them.
#pragma once

#include <memory>
#include <string>

#include "suite/stages/rows/features_stage.h"

namespace kdbench {

struct TrainingRows {
  FeaturesStage* stage = nullptr;
  std::string split = kTrainSplit;  // of that stage

  // Collective, as FeaturesStage::rows.
  std::shared_ptr<const FeatureSplit> read(const Workspace& workspace) const {
    return stage->rows(workspace).store.split(split);
  }
};

}  // namespace kdbench
