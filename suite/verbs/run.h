// SPDX-License-Identifier: MIT
// kdbench run EXPERIMENT.toml: the main job.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb run_verb();

}  // namespace kdbench
