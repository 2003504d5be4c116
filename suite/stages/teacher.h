// SPDX-License-Identifier: MIT
// Stage "teacher": a model fine-tuned (or taken as it is) and scored.
#pragma once

#include <filesystem>
#include <string>

#include "suite/config/experiment.h"
#include "suite/stages/features.h"
#include "suite/stages/workspace.h"
#include "suite/training/model_setup.h"

namespace kdbench {

struct Teacher {
  std::filesystem::path folder;  // Hugging Face model folder; empty when it failed
  std::filesystem::path
      record;  // <out>/<experiment>/<run-id>: run.json, events.jsonl, predictions/
  std::string checkpoint_sha256;
  std::string hash;  // of the stage
  bool failed = false;
};

// The model that a teacher begins as. Local.
ModelRequest teacher_model(const Experiment& experiment, const Task& task, int64_t seed);

// The stage's name, known before it is made: of `features` only the hash counts. Local; reads the
// weight files that the teacher begins with.
StageKey teacher_key(const Experiment& experiment, const Task& task, int64_t seed,
                     const Features& features);
// What is known of a teacher from its stage; without a folder while it is not made. Local.
Teacher teacher_at(const std::filesystem::path& out, const StageKey& key);

// Makes the teacher, or takes the finished one with the same inputs, and leaves its record in the
// experiment's folder. A failed one is recorded and tried again next time. Collective.
Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace);

}  // namespace kdbench
