// SPDX-License-Identifier: MIT
// The models that a method of an experiment meets.
#pragma once

#include "io/tasks/task.h"
#include "methods/method.h"
#include "suite/config/experiment.h"

namespace kdbench {

// An experiment of teachers alone (`finetune`) may lack [student].
bool has_student(const Experiment& experiment, const MethodSettings& method);

// The method's own student, else the experiment's, which must be there.
const ModelSettings& student_of(const Experiment& experiment, const MethodSettings& method);

// Sizes of the models on one task, from their folders alone. Local; throws user errors about what
// cannot be read.
ModelShapes method_shapes(const Experiment& experiment, const MethodSettings& method,
                          const Task& task);

}  // namespace kdbench
