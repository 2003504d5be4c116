// SPDX-License-Identifier: MIT
// kdbench inspect FILE: what a store, a weights file, a run folder or an experiment holds, and
// whether it is whole.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb inspect_verb();

}  // namespace kdbench
