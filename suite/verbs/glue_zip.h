// SPDX-License-Identifier: MIT
// kdbench glue-zip RESULTS... --out DIR_OR_FILE.zip: the leaderboard's files from predictions.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb glue_zip_verb();

}  // namespace kdbench
