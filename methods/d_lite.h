// SPDX-License-Identifier: MIT
// What d-lite's students learn from a teacher's logits; d-heavy's learn by the same.
#pragma once

#include "methods/method.h"

namespace kdbench {

// "distill_weight", "ce_weight", "loss" and "temperature".
std::vector<OptionSpec> d_lite_options();

// distill_weight MSE(s, z) + ce_weight CE(s, y): means over rows, MSE over classes too.
std::unique_ptr<Method> make_d_lite(const Options& options);

}  // namespace kdbench
