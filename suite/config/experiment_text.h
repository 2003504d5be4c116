// SPDX-License-Identifier: MIT
// The resolved experiment for a person: every key with its value, what all trainings share once.
#pragma once

#include <string>

#include "suite/config/experiment.h"

namespace kdbench {

std::string experiment_text(const Experiment& experiment);

}  // namespace kdbench
