// SPDX-License-Identifier: MIT
// tokenizer_config.json: absent or null keys keep their defaults; what is wrong or not supported is
// collected.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/tokenizers/special_tokens.h"

namespace kdbench {

class TokenizerConfig {
 public:
  // The file need not be there. Throws a user error when it holds no JSON object.
  explicit TokenizerConfig(const std::filesystem::path& path);

  bool flag(const char* key, bool value);
  std::string text(const char* key, const std::string& value);
  // A token is a string, or an object with its text as "content".
  std::string token(const char* key, const std::string& value);
  // The same with what it does to the blanks beside it.
  SpecialToken special(const char* key, SpecialToken value);
  // Anything else than `value` is a problem, for that reason.
  void require_flag(const char* key, bool value, const std::string& reason);
  void require_text(const char* key, const std::string& value, const std::string& reason);
  // Tokens that the file adds to the vocabulary must be among `known`, as the file describes them.
  void require_added(const std::vector<SpecialToken>& known);

  void throw_if_any() const { problems_.throw_if_any(path_); }

 private:
  // Null when absent.
  const nlohmann::json& find(const char* key) const;
  void check_added(const nlohmann::json& token, const std::vector<SpecialToken>& known);

  std::string path_;
  nlohmann::json json_ = nlohmann::json::object();
  Problems problems_;
};

}  // namespace kdbench
