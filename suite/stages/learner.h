// SPDX-License-Identifier: MIT
// A model that is trained, or only scored, and recorded as a run: what teacher, assistant, student
// and the model of `predict` have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "suite/stages/features_stage.h"
#include "suite/stages/training_run.h"

namespace kdbench {

struct ResolvedMethod;
struct Source;

struct Learner {
  std::string experiment, role, label;
  std::string method_name = "none";
  const Task* task = nullptr;
  int64_t seed = 1;
  TrainSettings train;
  const Experiment* whole = nullptr;  // null: `config` is all that there is
  std::function<nlohmann::json()>
      config;           // what of the experiment concerns the run, for its record
  nlohmann::json grid;  // of a grid's point: its shared "label" and the "point"
  std::function<std::unique_ptr<Method>()> method;  // null: the model is scored as it is
  ModelRequest model;
  std::optional<ModelRequest> beside;        // the teacher that learns too
  FeaturesStage* rows = nullptr;             // as the model's tokenizer cuts them
  const ResolvedMethod* resolved = nullptr;  // what the method takes of `source`, if it takes any
  std::shared_ptr<const Source> source;
  bool keep_model = true;  // as model/; a model that was only read lies elsewhere already
};

// States what `stage`, which makes it, needs.
void need_all(Stage& stage, const Learner& learner);

// Trains (or only scores) it and leaves the run in `folder`, whose source is done. `inputs`: all
// that the result depends on. Returns false when the run failed, which is recorded. Collective.
bool execute(const Learner& learner, const nlohmann::json& inputs,
             const std::filesystem::path& folder, const std::string& run_id,
             const Workspace& workspace);

// Leaves a record that the run could not take place. Collective.
void record_failure(const Learner& learner, const nlohmann::json& inputs,
                    const std::filesystem::path& folder, const std::string& run_id,
                    const std::string& reason, const Workspace& workspace);

// Models, and the source's files. Collective.
void check(const Learner& learner, Inspection& inspection);

// What the run takes. Local, for one process alone.
Cost cost_of(const Learner& learner, TrainingCosts& costs, const Workspace& workspace);

}  // namespace kdbench
