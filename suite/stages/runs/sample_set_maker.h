// SPDX-License-Identifier: MIT
// kind = "language-model": texts of a model that learned the task's (suite/transfer/sample_set.h).
#pragma once

#include "suite/stages/rows/transfer_stage.h"

namespace kdbench {

SetMaker sample_set_maker(StageContext& context, const Task& task);

}  // namespace kdbench
