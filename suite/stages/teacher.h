// SPDX-License-Identifier: MIT
// Stages "teacher" and "teacher-outputs": a model fine-tuned (or taken as it is) and scored, then
// its outputs on the training rows.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/teacher_store.h"
#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/stages/features.h"
#include "suite/stages/workspace.h"

namespace kdbench {

struct Teacher {
  std::filesystem::path folder;      // Hugging Face model folder
  std::filesystem::path run_folder;  // run.json, events.jsonl, predictions/ of the teacher itself
  std::string checkpoint_sha256;
  std::string hash;  // of the stage
  bool failed = false;
};

// Collective.
Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace);

// The teacher's outputs on the training rows of `features` (of the teacher's own tokenizer), as
// `needs` asks. Collective.
std::shared_ptr<const TeacherSplit> ensure_teacher_outputs(const Teacher& teacher, const Task& task,
                                                           const TeacherNeeds& needs,
                                                           const Features& features,
                                                           const Workspace& workspace);

// Copies a stage's run (without its model) to <out>/<experiment>/<run-id>, unless it is there, and
// returns that folder. Collective.
std::filesystem::path publish_run(const std::filesystem::path& run_folder,
                                  const std::string& experiment, const Workspace& workspace);

}  // namespace kdbench
