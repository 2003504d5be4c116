// SPDX-License-Identifier: MIT
#include "suite/models/model_settings.h"

#include "io/base/text.h"

namespace kdbench {

nlohmann::json path_json(const std::optional<std::filesystem::path>& path) {
  return path ? nlohmann::json(utf8_text(path->string())) : nlohmann::json();
}

nlohmann::json to_json(const ModelSettings& settings) {
  nlohmann::json json{
      {"architecture", settings.architecture},
      {"sizes", settings.sizes},
      {"init", settings.init},
      {"init_from", settings.init_from},
      {"layers", settings.layers ? nlohmann::json(*settings.layers) : nlohmann::json()}};
  json["weights"] = path_json(settings.weights);
  json["tokenizer"] = path_json(settings.tokenizer);
  if (!settings.choices.empty()) json["choices"] = settings.choices;
  if (settings.vectors) json["vectors"] = path_json(settings.vectors);
  return json;
}

}  // namespace kdbench
