// SPDX-License-Identifier: MIT
// Stage "language-model": a model that learned a task's texts (d-heavy), or is taken as it is, and
// its perplexity on the dev texts.
#pragma once

#include "suite/stages/rows/stage_context.h"
#include "suite/stages/runs/model_stage.h"

namespace kdbench {

inline constexpr const char* kLanguageModelRole = "language-model";

// The experiment's [transfer.model] on a task. Collective; reads the weight files that it begins
// with.
ModelStage& language_model_stage(StageContext& context, const Task& task);

}  // namespace kdbench
