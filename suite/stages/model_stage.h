// SPDX-License-Identifier: MIT
// A stage that leaves a trained model, from which others learn, and its run's record: teachers and
// assistants. The record is copied to <out>/<experiment>/<run-id>.
#pragma once

#include <filesystem>
#include <string>

#include "suite/stages/learner.h"

namespace kdbench {

class ModelStage : public SharedStage {
 public:
  ModelStage(Learner learner, StageKey key);

  bool done(const Workspace& workspace) override;
  StageState look(const Workspace& workspace) override;
  void check(Inspection& inspection) override;
  Cost cost(TrainingCosts& costs, const Workspace& workspace) override;
  Outcome make(const Workspace& workspace) override;
  // Recorded as a failed run.
  Outcome skip(const Stage& need, const Workspace& workspace) override;

  const Learner& learner() const { return learner_; }
  FeaturesStage& rows() const { return *learner_.rows; }
  // A Hugging Face folder, there when the stage is.
  std::filesystem::path model_folder(const Workspace& workspace);
  // Of the finished model's weights. Collective.
  const std::string& checkpoint_sha256(const Workspace& workspace);

 protected:
  bool make_in(const std::filesystem::path& partial, const Workspace& workspace) override;

 private:
  Learner learner_;
  std::string run_id_;
  std::string reason_;  // why it cannot be made
  std::filesystem::path record_;
  std::string checkpoint_sha256_;
};

// "MRPC seed 1", "MRPC assistant seed 1": what others call it.
std::string source_text(const ModelStage& model);

// What such a model begins as; frozen when nobody trains it. Local.
ModelRequest model_request(const TeacherSettings& settings, const TrainSettings& train,
                           const Task& task, int64_t seed);

// What its first weights are, for the stage's key: of a frozen checkpoint the same for all
// seeds. Local; reads weight files.
nlohmann::json stage_model_inputs(const ModelRequest& request);

}  // namespace kdbench
