// SPDX-License-Identifier: MIT
// Sizes with a name: the shapes of published models, for `preset = "bert-mini"` in an experiment.
#pragma once

#include <string>
#include <vector>

#include "io/weights/huggingface.h"

namespace kdbench {

struct Preset {
  std::string name, architecture;
  int64_t layers = 0, hidden = 0, heads = 0;
  int64_t intermediate() const { return 4 * hidden; }
};

const std::vector<Preset>& presets();
std::vector<std::string> preset_names();
// Throws a user error for a name that is not in the list.
const Preset& find_preset(const std::string& name);

// What models of an architecture have that nobody gives in an experiment: positions, token types,
// padding, epsilon. Sizes are 0.
ModelConfig architecture_defaults(const std::string& architecture);

}  // namespace kdbench
