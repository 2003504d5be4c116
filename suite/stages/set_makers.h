// SPDX-License-Identifier: MIT
// The kinds of transfer sets that [transfer] knows: a new one is a line here.
#pragma once

#include "suite/stages/rows/transfer_stage.h"

namespace kdbench {

// By the experiment's [transfer]. Local.
SetMaker set_maker(StageContext& context, const Task& task, const std::string& kind);

}  // namespace kdbench
