// SPDX-License-Identifier: MIT
// kdbench finetune EXPERIMENT.toml: the experiment's teachers alone.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb finetune_verb();

}  // namespace kdbench
