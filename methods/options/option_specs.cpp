// SPDX-License-Identifier: MIT
#include "methods/options/option_specs.h"

#include <utility>

namespace kdbench::option {

OptionSpec weight(const char* name, double fallback, const char* meaning, const char* source) {
  OptionSpec spec{name, fallback, meaning, source};
  spec.range.low = 0.0;
  return spec;
}

OptionSpec share(const char* name, double fallback, const char* meaning, const char* source) {
  OptionSpec spec = weight(name, fallback, meaning, source);
  spec.range.high = 1.0;
  return spec;
}

OptionSpec count(const char* name, int64_t fallback, int64_t minimum, const char* meaning,
                 const char* source) {
  OptionSpec spec{name, fallback, meaning, source};
  spec.range.low = static_cast<double>(minimum);
  return spec;
}

OptionSpec flag(const char* name, bool fallback, const char* meaning, const char* source) {
  return {name, fallback, meaning, source};
}

OptionSpec choice(const char* name, const char* fallback, std::vector<std::string> choices,
                  const char* meaning, const char* source) {
  OptionSpec spec{name, std::string(fallback), meaning, source};
  spec.choices = std::move(choices);
  return spec;
}

OptionSpec layers(const char* name, const char* fallback, std::vector<std::string> choices,
                  const char* meaning, const char* source) {
  OptionSpec spec = choice(name, fallback, std::move(choices), meaning, source);
  spec.or_list = true;
  spec.range.low = 1;
  return spec;
}

OptionSpec temperature(double fallback, const char* source) {
  OptionSpec spec{"temperature", fallback,
                  "divides both models' logits; the soft term is multiplied by its square", source};
  spec.range.low = 1e-3;  // it divides
  return spec;
}

}  // namespace kdbench::option
