// SPDX-License-Identifier: MIT
// NaN and infinity are no result: whatever finds them in weights, logits or states fails its run.
#pragma once

#include <string>

#include "io/base/error.h"
#include "methods/models/parameters.h"
#include "suite/ranks/control.h"

namespace kdbench {

// An Error(kRunFailed): `where` names the place, `what` what is not finite ("the weights x are").
Error not_finite(const std::string& where, const std::string& what);

// Throws that on every rank when a value of `parameters` is not finite on one. Collective.
void check_finite_weights(const Parameters& parameters, const std::string& where,
                          const Control& control);

}  // namespace kdbench
