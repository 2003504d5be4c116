// SPDX-License-Identifier: MIT
// kdbench methods [NAME]: every method's keys and what it needs from the teacher.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb methods_verb();

}  // namespace kdbench
