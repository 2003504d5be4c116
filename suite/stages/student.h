// SPDX-License-Identifier: MIT
// The last stage: one student run = task x method (x grid point) x seed.
#pragma once

#include <cstdint>

#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/stages/features.h"
#include "suite/stages/teacher.h"
#include "suite/stages/workspace.h"

namespace kdbench {

struct StudentRequest {
  const Experiment* experiment = nullptr;
  const Task* task = nullptr;
  const MethodSettings* method = nullptr;
  int64_t seed = 1;
};

enum class RunStatus { kDone, kReused, kFailed };

struct StudentRun {
  RunStatus status = RunStatus::kFailed;
  std::filesystem::path folder;
};

// What the method needs from the teacher. Local.
TeacherNeeds student_needs(const StudentRequest& request);

// Reads the method's teacher outputs when they are a file of the user, and throws what is wrong
// with it. Local.
void check_teacher_outputs_file(const StudentRequest& request, const Features& features);

// Runs it, or reuses the finished run with the same inputs. `teacher` is null for methods without
// one. `teacher_features`: rows as the teacher's tokenizer cuts them. Collective.
StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Teacher* teacher, const Features* teacher_features,
                          const Workspace& workspace);

}  // namespace kdbench
