// SPDX-License-Identifier: MIT
// `kdbench status`: what of an experiment is done, running, failed, waiting or missing.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb status_verb();

}  // namespace kdbench
