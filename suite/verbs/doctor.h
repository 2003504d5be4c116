// SPDX-License-Identifier: MIT
// kdbench doctor: what this machine offers to these ranks, what is missing and how to get it.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb doctor_verb();

}  // namespace kdbench
