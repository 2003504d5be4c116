// SPDX-License-Identifier: MIT
// A stage that leaves a trained model, as those who learn from it see it: the teacher or the
// assistant.
#pragma once

#include <filesystem>
#include <string>

#include "suite/graph/stage.h"
#include "suite/models/initial_model.h"
#include "suite/stages/rows/features_stage.h"

namespace kdbench {

class SourceModel : public SharedStage {
 public:
  SourceModel(StageKey key, std::string title, InitialModel initial, FeaturesStage& rows);

  // Before its training, if it has any.
  const InitialModel& initial() const { return initial_; }
  // As its tokenizer cuts them.
  FeaturesStage& rows() const { return rows_; }
  // Where the model lies, a Hugging Face folder, once the stage is made. Local.
  std::filesystem::path model_folder(const Workspace& workspace);
  // The same for those who read it, as contents(). Collective.
  std::filesystem::path finished_model(const Workspace& workspace);
  // Of the finished model's weights. Collective.
  const std::string& checkpoint_sha256(const Workspace& workspace);
  // "MRPC seed 1", "MRPC assistant seed 1": what others call it.
  std::string name_for_others() const;

 private:
  InitialModel initial_;
  FeaturesStage& rows_;
  std::string checkpoint_sha256_;
};

}  // namespace kdbench
