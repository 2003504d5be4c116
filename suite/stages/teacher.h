// SPDX-License-Identifier: MIT
// Stage "teacher": a model fine-tuned (or taken as it is) and scored.
#pragma once

#include <filesystem>
#include <string>

#include "suite/config/experiment.h"
#include "suite/stages/features.h"
#include "suite/stages/workspace.h"

namespace kdbench {

struct Teacher {
  std::filesystem::path folder;  // Hugging Face model folder; empty when it failed
  std::filesystem::path
      record;  // <out>/<experiment>/<run-id>: run.json, events.jsonl, predictions/
  std::string checkpoint_sha256;
  std::string hash;  // of the stage
  bool failed = false;
};

// Makes the teacher, or takes the finished one with the same inputs, and leaves its record in the
// experiment's folder. A failed one is recorded and tried again next time. Collective.
Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace);

}  // namespace kdbench
