// SPDX-License-Identifier: MIT
// Stage "teacher": a model fine-tuned on hard labels (or taken as it is) and scored.
#pragma once

#include "suite/stages/rows/stage_context.h"
#include "suite/stages/runs/model_stage.h"

namespace kdbench {

// The teacher of this seed. Collective; reads the weight files that it begins with.
ModelStage& teacher_stage(StageContext& context, const Task& task, int64_t seed);

}  // namespace kdbench
