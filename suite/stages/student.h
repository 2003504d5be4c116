// SPDX-License-Identifier: MIT
// The last stage: one student run = task x method (x grid point) x seed.
#pragma once

#include <cstdint>
#include <optional>

#include "io/teacher_store.h"
#include "methods/method.h"
#include "suite/config/experiment.h"
#include "suite/stages/features.h"
#include "suite/stages/teacher.h"
#include "suite/stages/workspace.h"
#include "suite/training/model_setup.h"

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
// with it; of hidden states part `part` of `parts`. Local.
void check_teacher_outputs_file(const StudentRequest& request, const Features& features,
                                int part = 0, int parts = 1);

// Throws when the method's memory cannot be read, or cannot be trained on these rows. Local.
void check_memory(const StudentRequest& request, const Features& features);

// Throws when the method takes states of the teacher's tokens, or trains both models on the same
// rows, and the student's tokens are others. Local.
void check_same_tokens(const StudentRequest& request, const Features& features,
                       const Features& teacher_features);

// What all methods of the experiment take from a task's stored outputs: the teacher runs once.
// Local.
TeacherNeeds shared_needs(const StudentRequest& request);

// The run takes the finished teacher's outputs or its weights. Local.
bool takes_teacher(const StudentRequest& request);

// The student's model, with the parameters that the method adds. `teacher`: null, or the one whose
// weights it may begin with. Local.
ModelRequest student_model(const StudentRequest& request, const Teacher* teacher);

// The teacher that learns beside the student, where the method trains one: `teacher`'s weights when
// the method asks for a finished one, else those that [teacher] names. Local.
std::optional<ModelRequest> learning_teacher(const StudentRequest& request, const Teacher* teacher);

// "<task>-<label>-s<seed>-<hash of everything that the result depends on>". Of `features` and
// `teacher` (null: none is taken) only the hashes count, and the teacher's folder where the student
// begins with its weights. Local; reads weight files.
std::string student_run_id(const StudentRequest& request, const Features& features,
                           const Teacher* teacher);

// Runs it, or reuses the finished run with the same inputs. `teacher` is null for methods without
// one. `teacher_features`: rows as the teacher's tokenizer cuts them. Collective.
StudentRun ensure_student(const StudentRequest& request, const Features& features,
                          const Teacher* teacher, const Features* teacher_features,
                          const Workspace& workspace);

}  // namespace kdbench
