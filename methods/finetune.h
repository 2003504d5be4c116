// SPDX-License-Identifier: MIT
// Plain fine-tuning on hard labels: cross entropy, or mean squared error for scores (Devlin et al.
// 2019).
#pragma once

#include "methods/method.h"

namespace kdbench {

// One step of the student on the task's own labels; a phase of several methods.
Update hard_label_update(Model& student);

}  // namespace kdbench
