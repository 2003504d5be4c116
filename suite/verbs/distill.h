// SPDX-License-Identifier: MIT
// kdbench distill EXPERIMENT.toml: some of the experiment's students.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb distill_verb();

}  // namespace kdbench
