// SPDX-License-Identifier: MIT
#include "suite/training/finite.h"

#include <ATen/ATen.h>

namespace kdbench {

Error not_finite(const std::string& where, const std::string& what) {
  return Error(ExitCode::kRunFailed, where, what + " not finite",
               "the training has diverged: a lower learning rate, warmup, or clip > 0, may help");
}

void check_finite_weights(const Parameters& parameters, const std::string& where,
                          const Control& control) {
  control.agree([&] {
    for (const auto& segment : parameters.layout().segments()) {
      if (at::isfinite(parameters[segment.name]).all().item<bool>()) continue;
      throw not_finite(where, "the weights " + segment.name + " are");
    }
  });
}

}  // namespace kdbench
