// SPDX-License-Identifier: MIT
// Stage "assistant": a model of middle size that learned from the teacher's logits by the loss of
// the method that asks for it (TAKD), or is taken as it is.
#pragma once

#include "suite/stages/source.h"

namespace kdbench {

inline constexpr const char* kAssistant = "assistant";

// The model that an assistant begins as. Local.
ModelRequest assistant_model(const Experiment& experiment, const Task& task, int64_t seed);

// The stage's name: of `features` and `teacher` (null: it is taken as it is) only the hashes count.
// `request`: the method, and the assistant's own seed. Local; reads weight files.
StageKey assistant_key(const StudentRequest& request, const Features& features,
                       const Teacher* teacher);

// Makes the assistant, or takes the finished one with the same inputs. `teacher`: nobody when it is
// taken as it is. Collective.
Teacher ensure_assistant(const StudentRequest& request, const Features& features,
                         const Source& teacher, const Workspace& workspace);

}  // namespace kdbench
