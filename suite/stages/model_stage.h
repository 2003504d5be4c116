// SPDX-License-Identifier: MIT
// A stage that leaves a trained model and its run's record: teachers and assistants.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "suite/config/experiment.h"
#include "suite/graph/stage_store.h"
#include "suite/models/model_setup.h"

namespace kdbench {

// A model that others learn from.
struct Teacher {
  std::filesystem::path folder;  // Hugging Face model folder; empty when it failed
  std::filesystem::path
      record;  // <out>/<experiment>/<run-id>: run.json, events.jsonl, predictions/
  std::string checkpoint_sha256;
  std::string hash;  // of the stage
  bool failed = false;
};

// What such a model begins as; frozen when nobody trains it. Local.
ModelRequest teacher_request(const TeacherSettings& settings, const TrainSettings& train,
                             const Task& task, int64_t seed);

// What its first weights are, for the stage's key: of a frozen checkpoint the same for all
// seeds. Local; reads weight files.
nlohmann::json stage_model_inputs(const ModelRequest& request);

// What is known of a model from its stage; without a folder while it is not made. Local.
Teacher teacher_at(const std::filesystem::path& out, const StageKey& key);

// "<task>-<role>-s<seed>-<start of the stage's hash>"
std::string model_run_id(const StageKey& key, const Task& task, const std::string& role,
                         int64_t seed);

// Makes the stage, or takes the finished one, and leaves its record in the experiment's folder.
// `make` trains the model, leaves the run in the folder it gets, and returns false when that
// failed: a failed one is recorded and tried again next time. Collective.
Teacher ensure_model(const StageKey& key, const std::string& experiment, const std::string& run_id,
                     const std::function<bool(const std::filesystem::path&)>& make,
                     const Workspace& workspace);

}  // namespace kdbench
