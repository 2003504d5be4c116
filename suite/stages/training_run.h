// SPDX-License-Identifier: MIT
// One run from its models and data to its result folder: trains (or only scores) the student,
// predicts all splits, writes run.json, events.jsonl, predictions/ and model/. Teachers and
// students alike.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "io/stores/feature_store.h"
#include "io/stores/teacher_store.h"
#include "io/tasks/task.h"
#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/models/online_teacher.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

struct TrainingRun {
  std::filesystem::path folder;                              // final name
  std::string run_id, experiment, role, label, method_name;  // role: student | teacher | predict
  const Task* task = nullptr;
  int64_t seed = 1;
  TrainSettings settings;
  nlohmann::json config;                // what of the experiment concerns the run (run_config)
  const Experiment* whole = nullptr;    // written once beside its runs; null: `config` is all
  nlohmann::json inputs;                // everything that the result depends on; names the run
  nlohmann::json data, teacher;         // hashes
  nlohmann::json grid;                  // of a grid's point: its shared "label" and the "point"
  Method* method = nullptr;             // null: the model is scored as it is
  Models models;                        // the one that is predicted and saved is models[kStudent]
  std::optional<FeatureMemory> memory;  // of the method, when it asks for one
  const FeatureStore* features = nullptr;
  std::shared_ptr<const TeacherSplit> teacher_outputs;  // of the training rows; may be null
  std::optional<OnlineTeacher> online_teacher;          // that gives them, when they are not stored
  bool keep_model = true;           // as model/; a model that was only read lies elsewhere already
  std::filesystem::path tokenizer;  // folder whose tokenizer files go beside the saved model
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

// Collective. Returns true when the run is done; false when it failed (recorded with its reason;
// the caller goes on).
bool execute(TrainingRun& run, const Workspace& workspace);

// Leaves a record that the run could not take place, for example because its teacher failed.
// Collective.
void record_failure(TrainingRun& run, const std::string& reason, const Workspace& workspace);

}  // namespace kdbench
