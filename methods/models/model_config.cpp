// SPDX-License-Identifier: MIT
#include "methods/models/model_config.h"

#include "io/base/error.h"
#include "io/weights/config_json.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

// What config.json may say: a masked form has the name of the one that it is a form of.
std::vector<std::string> known_types() {
  std::vector<std::string> names;
  for (const auto& architecture : all_architectures()) {
    if (!architecture.fills_masks) names.push_back(architecture.name);
  }
  return names;
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& folder, ModelForm form) {
  const std::filesystem::path path = folder / "config.json";
  Problems problems;
  ConfigJson json(path, problems);
  const std::string name = json.model_type(known_types());
  // A model of another type is refused; its keys are judged all the same, by the first entry.
  const Architecture& named = name.empty() ? all_architectures().front() : find_architecture(name);
  const Architecture& architecture = form == ModelForm::kLanguage ? language_form(named) : named;
  ModelConfig config = architecture.read_config(json);
  config.architecture = architecture.name;
  config.labels = json.labels();
  config.finetuned_on = json.text("finetuning_task");
  config.unused_keys = json.unused();
  problems.throw_if_any(path.string());
  return config;
}

nlohmann::json to_config_json(const ModelConfig& config) {
  const Architecture& architecture = find_architecture(config.architecture);
  nlohmann::json json{{architecture.type_key, config.architecture}};
  architecture.write_config(config, json);
  if (!architecture.language_model) write_labels(config.labels, json);
  return json;
}

}  // namespace kdbench
