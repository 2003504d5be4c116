// SPDX-License-Identifier: MIT
// kdbench tokenize: stdin lines -> ids as JSON lines.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb tokenize_verb();

}  // namespace kdbench
