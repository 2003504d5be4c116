// SPDX-License-Identifier: MIT
// Checks before any work that load_experiment leaves out because they take time: a cut or missing
// file of weights is found before hours of training.
#pragma once

#include <string>

#include "io/base/error.h"
#include "suite/config/experiment.h"

namespace kdbench {

// Reads the weights and vocabularies of all models of the experiment. A teacher or an assistant
// that is not trained must be ready for use, unless no method uses it. Local.
void check_models(const Experiment& experiment, Problems& problems);

// Throws one user error, unless there is no problem. What methods share is found for each of them:
// it is listed once.
void throw_each_once(const Problems& problems, const std::string& where);

}  // namespace kdbench
