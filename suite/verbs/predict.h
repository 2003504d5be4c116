// SPDX-License-Identifier: MIT
// kdbench predict: a saved model's predictions and logits.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb predict_verb();

}  // namespace kdbench
