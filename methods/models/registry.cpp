// SPDX-License-Identifier: MIT
#include "methods/models/registry.h"

#include "io/base/error.h"
#include "io/base/text.h"
#include "methods/models/entries.h"

namespace kdbench {

const std::vector<Architecture>& all_architectures() {
  static const std::vector<Architecture> list = {bert_entry(),       roberta_entry(),
                                                 bilstm_entry(),     gpt2_entry(),
                                                 transfo_xl_entry(), masked_bert_entry()};
  return list;
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const auto& architecture : all_architectures()) names.push_back(architecture.name);
  return names;
}

const Architecture& find_architecture(const std::string& name) {
  for (const auto& architecture : all_architectures()) {
    if (architecture.name == name) return architecture;
  }
  throw_user_error("architecture", "\"" + name + "\" is not known",
                   "known: " + joined(architecture_names(), ", "));
}

const Architecture& language_form(const Architecture& architecture) {
  return architecture.masked_form.empty() ? architecture
                                          : find_architecture(architecture.masked_form);
}

const std::vector<std::string>& planned_architectures() {
  static const std::vector<std::string> names = {"resnet"};
  return names;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& architecture : all_architectures()) {
    for (const auto& preset : architecture.presets) names.push_back(preset.name);
  }
  return names;
}

FoundPreset find_preset(const std::string& name) {
  for (const auto& architecture : all_architectures()) {
    for (const auto& preset : architecture.presets) {
      if (preset.name == name) return {architecture, preset};
    }
  }
  throw_user_error("preset", "\"" + name + "\" is not known",
                   "known: " + joined(preset_names(), ", "));
}

}  // namespace kdbench
