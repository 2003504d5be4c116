// SPDX-License-Identifier: MIT
// kdbench export: a saved model's outputs as a teacher store.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb export_verb();

}  // namespace kdbench
