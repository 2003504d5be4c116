// SPDX-License-Identifier: MIT
// [method.grid]: lists of the method's own keys, and in [method.grid.train] of training keys; one
// method for each combination.
#pragma once

#include <vector>

#include "suite/config/experiment.h"
#include "suite/config/toml_reader.h"

namespace kdbench {

// `base` at every point of the grid in `method`, the last key moving fastest, each with a label of
// its own: "kd[alpha=0.5,train.learning_rate=2e-05]"; `base` alone without a grid. A key that --set
// gives the method itself (method.<label>.alpha=0.5) keeps that value at every point.
std::vector<MethodSettings> expand_grid(const MethodSettings& base,
                                        const std::vector<OptionSpec>& specs, TableReader& method);

}  // namespace kdbench
