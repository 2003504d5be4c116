// SPDX-License-Identifier: MIT
// kdbench run EXPERIMENT.toml: the main job.
#pragma once

#include "suite/verb.h"

namespace kdbench {

Verb run_verb();

}  // namespace kdbench
