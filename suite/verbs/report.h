// SPDX-License-Identifier: MIT
// kdbench report RESULTS... --out DIR: tables from result folders; never trains.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb report_verb();

}  // namespace kdbench
