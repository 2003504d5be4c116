// SPDX-License-Identifier: MIT
#include "methods/models/presets.h"

#include <algorithm>

#include "io/base/error.h"
#include "io/base/text.h"

namespace kdbench {

const std::vector<Preset>& presets() {
  // BERT's small shapes: Turc et al. 2019; 3 and 6 layers of bert-base: students of Patient KD.
  static const std::vector<Preset> list = {
      {"bert-tiny", "bert", 2, 128, 2},           {"bert-mini", "bert", 4, 256, 4},
      {"bert-small", "bert", 4, 512, 8},          {"bert-medium", "bert", 8, 512, 8},
      {"bert-base-3", "bert", 3, 768, 12},        {"bert-base-6", "bert", 6, 768, 12},
      {"bert-base", "bert", 12, 768, 12},         {"bert-large", "bert", 24, 1024, 16},
      {"distilroberta", "roberta", 6, 768, 12},   {"roberta-base", "roberta", 12, 768, 12},
      {"roberta-large", "roberta", 24, 1024, 16},
  };
  return list;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const auto& preset : presets()) names.push_back(preset.name);
  return names;
}

const Preset& find_preset(const std::string& name) {
  const auto found = std::find_if(presets().begin(), presets().end(),
                                  [&](const Preset& preset) { return preset.name == name; });
  if (found != presets().end()) return *found;
  throw_user_error("preset", "\"" + name + "\" is not known",
                   "known: " + joined(preset_names(), ", "));
}

ModelConfig architecture_defaults(const std::string& architecture) {
  ModelConfig config;
  config.architecture = architecture;
  if (architecture == "roberta") {
    config.max_positions = 514;  // for rows of 512
    config.token_types = 1;
    config.pad_token_id = 1;
    config.layer_norm_eps = 1e-5;
  }
  return config;
}

}  // namespace kdbench
