// SPDX-License-Identifier: MIT
// The kinds of options that methods declare, each with the range its values must keep.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "methods/options/options.h"

namespace kdbench::option {

// At least 0.
OptionSpec weight(const char* name, double fallback, const char* meaning, const char* source);
// From 0 to 1.
OptionSpec share(const char* name, double fallback, const char* meaning, const char* source);
// At least `minimum`.
OptionSpec count(const char* name, int64_t fallback, int64_t minimum, const char* meaning,
                 const char* source);
OptionSpec flag(const char* name, bool fallback, const char* meaning, const char* source);
OptionSpec choice(const char* name, const char* fallback, std::vector<std::string> choices,
                  const char* meaning, const char* source);
// A choice, or a list of 1-based layers.
OptionSpec layers(const char* name, const char* fallback, std::vector<std::string> choices,
                  const char* meaning, const char* source);
// "temperature" of softened logits (soft_target_divergence in losses.h).
OptionSpec temperature(double fallback, const char* source);

}  // namespace kdbench::option
