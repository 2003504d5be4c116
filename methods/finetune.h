// SPDX-License-Identifier: MIT
// Plain fine-tuning on hard labels: cross entropy, or mean squared error for scores (Devlin et al.
// 2019).
#pragma once

#include "methods/method.h"

namespace kdbench {

MethodEntry finetune_entry();

}  // namespace kdbench
