// SPDX-License-Identifier: MIT
// Stage "teacher": a model fine-tuned (or taken as it is) and scored.
#pragma once

#include "suite/stages/features.h"
#include "suite/stages/model_stage.h"

namespace kdbench {

// The model that a teacher begins as. Local.
ModelRequest teacher_model(const Experiment& experiment, const Task& task, int64_t seed);

// The stage's name, known before it is made: of `features` only the hash counts. Local; reads the
// weight files that the teacher begins with.
StageKey teacher_key(const Experiment& experiment, const Task& task, int64_t seed,
                     const Features& features);

// Makes the teacher, or takes the finished one with the same inputs. Collective.
Teacher ensure_teacher(const Experiment& experiment, const Task& task, int64_t seed,
                       const Features& features, const Workspace& workspace);

}  // namespace kdbench
