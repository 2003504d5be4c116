// SPDX-License-Identifier: MIT
// Which model an experiment means: what one of its tables of a model says.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace kdbench {

// [teacher], [assistant], [student], [method.student], [transfer.model]: a Hugging Face folder, or
// an architecture with sizes.
struct ModelSettings {
  std::optional<std::filesystem::path> weights;  // absolute
  std::string architecture;                      // "" : from the folder's config.json
  std::map<std::string, int64_t>
      sizes;  // layers, hidden, heads, intermediate, max_positions, vocabulary
  std::map<std::string, std::string> choices;      // pooling, vector_mode
  std::string init = "weights";                    // weights | first-layers | skip-layers | random
  std::string init_from = "pretrained";            // pretrained | teacher
  std::optional<int64_t> layers;                   // of the student; absent: the folder's own
  std::optional<std::filesystem::path> tokenizer;  // folder; default: weights
  std::optional<std::filesystem::path> vectors;    // of words, absolute
  bool language = false;  // it makes texts: a folder that can be read so is a language model's
  // Of a model that reads the words of its data: their vocabulary's folder by task, once it is in
  // place.
  std::map<std::string, std::filesystem::path> words;
};

// For run.json.
nlohmann::json to_json(const ModelSettings& settings);
// null if there is none.
nlohmann::json path_json(const std::optional<std::filesystem::path>& path);

}  // namespace kdbench
