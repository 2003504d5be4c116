// SPDX-License-Identifier: MIT
// A model that is trained, or only scored, and recorded as a run: what teacher, assistant, student
// and the model of `predict` have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/graph/stage.h"
#include "suite/stages/rows/training_rows.h"
#include "suite/stages/rows/transfer_stage.h"

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
  InitialModel model;
  std::optional<InitialModel> beside;        // the teacher that learns too
  FeaturesStage* rows_beside = nullptr;      // as it reads them, where those are others
  FeaturesStage* rows = nullptr;             // of the task, as the model's tokenizer cuts them
  TrainingRows training;                     // what it learns from, if it does; cut alike
  TransferSetStage* transfer = nullptr;      // the set that those rows are, if they are one
  const ResolvedMethod* resolved = nullptr;  // what the method takes of `source`, if it takes any
  std::shared_ptr<const Source> source;
  std::optional<TextSettings> texts;  // of a language model, which learns the rows' texts
  bool keep_model = true;  // as model/; a model that was only read lies elsewhere already
};

// States what `stage`, which makes it, needs.
void need_all(Stage& stage, const Learner& learner);

// Models, and the source's files. Collective.
void check(const Learner& learner, Inspection& inspection);

// What the run takes. Local, for one process alone.
Cost cost_of(const Learner& learner, TrainingCosts& costs, const Workspace& workspace);

}  // namespace kdbench
