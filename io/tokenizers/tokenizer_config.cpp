// SPDX-License-Identifier: MIT
#include "io/tokenizers/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/json_file.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using nlohmann::json;

std::string content_of(const json& token) {
  const json text = token.is_object() ? token.value("content", json()) : token;
  return text.is_string() ? text.get<std::string>() : "";
}

bool flag_of(const json& token, const char* key, bool value) {
  if (!token.is_object()) return value;
  const auto found = token.find(key);
  return found != token.end() && found->is_boolean() ? found->get<bool>() : value;
}

}  // namespace

TokenizerConfig::TokenizerConfig(const std::filesystem::path& path) : path_(path.string()) {
  if (std::filesystem::exists(path)) json_ = read_json_object(path);
}

const json& TokenizerConfig::find(const char* key) const {
  static const json null;
  const auto found = json_.find(key);
  return found == json_.end() ? null : *found;
}

bool TokenizerConfig::flag(const char* key, bool value) {
  const json& found = find(key);
  if (found.is_null()) return value;
  if (found.is_boolean()) return found.get<bool>();
  problems_.add(path_, fmt::format("'{}' must be true, false or null", key));
  return value;
}

std::string TokenizerConfig::text(const char* key, const std::string& value) {
  const json& found = find(key);
  if (found.is_null()) return value;
  if (found.is_string()) return found;
  problems_.add(path_, fmt::format("'{}' must be a text", key));
  return value;
}

std::string TokenizerConfig::token(const char* key, const std::string& value) {
  return special(key, {value}).text;
}

SpecialToken TokenizerConfig::special(const char* key, SpecialToken value) {
  const json& found = find(key);
  if (found.is_null()) return value;
  const std::string text = content_of(found);
  if (text.empty()) {
    problems_.add(path_, fmt::format("'{}' must be a token", key));
    return value;
  }
  value.text = text;
  value.strips_left = flag_of(found, "lstrip", value.strips_left);
  value.strips_right = flag_of(found, "rstrip", value.strips_right);
  return value;
}

void TokenizerConfig::require_flag(const char* key, bool value, const std::string& reason) {
  if (flag(key, value) == value) return;
  problems_.add(path_, fmt::format("'{}' is {}", key, !value), reason);
}

void TokenizerConfig::require_text(const char* key, const std::string& value,
                                   const std::string& reason) {
  const std::string found = text(key, value);
  if (found == value) return;
  problems_.add(path_, fmt::format("'{}' is \"{}\"", key, printable(found)), reason);
}

void TokenizerConfig::require_added(const std::vector<SpecialToken>& known) {
  for (const char* key : {"added_tokens_decoder", "additional_special_tokens"}) {
    for (const json& token : find(key)) check_added(token, known);
  }
}

void TokenizerConfig::check_added(const json& token, const std::vector<SpecialToken>& known) {
  const std::string text = content_of(token);
  const auto same = std::find_if(known.begin(), known.end(),
                                 [&](const SpecialToken& one) { return one.text == text; });
  const std::string name = fmt::format("the added token '{}'", printable(text));
  if (same == known.end()) {
    problems_.add(path_, name + " is not supported", "only the special tokens can be added");
  } else if (flag_of(token, "single_word", false) ||
             flag_of(token, "lstrip", same->strips_left) != same->strips_left ||
             flag_of(token, "rstrip", same->strips_right) != same->strips_right) {
    problems_.add(path_, name + " is described in two ways, or as a single word",
                  "lstrip and rstrip must be those of its own key");
  }
}

}  // namespace kdbench
