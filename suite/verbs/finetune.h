// SPDX-License-Identifier: MIT
// kdbench finetune EXPERIMENT.toml: the experiment's teachers alone.
#pragma once

#include "suite/verb.h"

namespace kdbench {

Verb finetune_verb();

}  // namespace kdbench
