// SPDX-License-Identifier: MIT
// Stage "assistant": a model of middle size that learned from the teacher's logits by the loss of
// the method that asks for it (TAKD), or is taken as it is.
#pragma once

#include <memory>

#include "suite/stages/rows/stage_context.h"
#include "suite/stages/runs/model_stage.h"
#include "suite/stages/sources/source.h"

namespace kdbench {

inline constexpr const char* kAssistant = "assistant";

// The assistant is trained, so that it needs the teacher.
bool trains_assistant(const Experiment& experiment);

// The assistant of this seed. `source`: what it learns from, null when it is taken as it is.
// Collective; reads the weight files that it begins with.
ModelStage& assistant_stage(StageContext& context, const ResolvedMethod& method, int64_t seed,
                            std::shared_ptr<const Source> source);

}  // namespace kdbench
