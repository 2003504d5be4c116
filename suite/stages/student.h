// SPDX-License-Identifier: MIT
// The last stage: one student run.
#pragma once

#include <filesystem>
#include <string>

#include "suite/ranks/workspace.h"
#include "suite/stages/source.h"

namespace kdbench {

enum class RunStatus { kDone, kReused, kFailed };

struct StudentRun {
  RunStatus status = RunStatus::kFailed;
  std::filesystem::path folder;
};

// "<task>-<label>-s<seed>-<hash of everything that the result depends on>". Of `features` and
// `source` (null: no model is taken) only the hashes count, and the teacher's folder where the
// student begins with its weights. Local; reads weight files.
std::string student_run_id(const StudentRequest& request, const Features& features,
                           const Teacher* source);

// Runs it, or reuses the finished run with the same inputs; a run whose source failed is recorded
// as failed. `features`: rows as the student's tokenizer cuts them. Collective.
StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Source& source, const Workspace& workspace);

}  // namespace kdbench
