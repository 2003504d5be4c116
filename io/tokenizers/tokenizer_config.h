// SPDX-License-Identifier: MIT
// tokenizer_config.json, and special_tokens_map.json and added_tokens.json beside it: absent or
// null keys keep their defaults; what is wrong, contradictory or not supported is collected.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "io/tokenizers/special_tokens.h"

namespace kdbench {

class TokenizerConfig {
 public:
  // None of the files need be there. Throws a user error when one holds no JSON object.
  explicit TokenizerConfig(const std::filesystem::path& folder);

  bool flag(const char* key, bool value);
  // The same of a key that tokenizer.json has too (`other`): a problem when the two differ.
  std::optional<bool> flag(const char* key, const std::optional<bool>& other);
  std::string text(const char* key, const std::string& value);
  // A token is a string, or an object with its text as "content".
  std::string token(const char* key, const std::string& value);
  // The same with what it does to the blanks beside it.
  SpecialToken special(const char* key, SpecialToken value);
  // Anything else than `value` is a problem, for that reason.
  void require_flag(const char* key, bool value, const std::string& reason);
  void require_text(const char* key, const std::string& value, const std::string& reason);
  // tokenizer_class, where it is given, must be one of these, or the same with "Fast".
  void require_class(const std::vector<std::string>& known);
  // Anything but absent or empty is a problem.
  void require_none(const char* key);
  // Tokens that the files, and `further` ones, add to the vocabulary must be among `known`, as they
  // are described there, with their ids in `vocabulary`.
  void require_added(const std::vector<SpecialToken>& known,
                     const std::vector<std::string>& vocabulary,
                     const nlohmann::json& further = nlohmann::json::array());

  void problem(const std::string& what, const std::string& hint = "") {
    problems_.add(path_, what, hint);
  }
  void throw_if_any() const { problems_.throw_if_any(path_); }
  // Keys that nobody has asked for, but those that decide no id.
  std::vector<std::string> unused() const;

 private:
  // Null when absent.
  const nlohmann::json& find(const char* key);
  // In either file; a problem when the two name different ones.
  const nlohmann::json& find_token(const char* key);
  void check_added(const std::string& where, const nlohmann::json& token, const nlohmann::json& id,
                   const std::vector<SpecialToken>& known,
                   const std::vector<std::string>& vocabulary);

  std::filesystem::path folder_;
  std::string path_;  // of tokenizer_config.json
  nlohmann::json json_ = nlohmann::json::object();
  nlohmann::json specials_ = nlohmann::json::object();  // special_tokens_map.json
  nlohmann::json added_ = nlohmann::json::object();     // added_tokens.json: token -> id
  std::set<std::string> asked_;
  Problems problems_;
};

}  // namespace kdbench
