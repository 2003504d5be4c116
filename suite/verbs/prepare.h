// SPDX-License-Identifier: MIT
// kdbench prepare: GLUE folder + tokenizer -> feature store.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb prepare_verb();

}  // namespace kdbench
