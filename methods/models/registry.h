// SPDX-License-Identifier: MIT
// The list of architectures.
#pragma once

#include <string>
#include <vector>

#include "methods/models/architecture.h"

namespace kdbench {

// Never empty.
const std::vector<Architecture>& all_architectures();
std::vector<std::string> architecture_names();
// Throws a user error listing the known ones.
const Architecture& find_architecture(const std::string& name);
// As what a folder or sizes of it are read where a language model is wanted: its masked form, or
// itself where it has none.
const Architecture& language_form(const Architecture& architecture);
// Names of architectures to come.
const std::vector<std::string>& planned_architectures();

std::vector<std::string> preset_names();
struct FoundPreset {
  const Architecture& architecture;
  const Preset& preset;
};
// Throws a user error for a name that is not in any architecture's list.
FoundPreset find_preset(const std::string& name);

}  // namespace kdbench
