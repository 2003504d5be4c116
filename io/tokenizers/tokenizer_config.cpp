// SPDX-License-Identifier: MIT
#include "io/tokenizers/tokenizer_config.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

using nlohmann::json;

// Keys that decide no id: where the files come from, how long rows are (the experiment says so),
// how ids become text again, what other programs pad.
const std::set<std::string> kNoIds{"auto_map",
                                   "backend",
                                   "clean_up_tokenization_spaces",
                                   "errors",
                                   "full_tokenizer_file",
                                   "init_inputs",
                                   "is_local",
                                   "local_files_only",
                                   "max_len",
                                   "max_length",
                                   "model_input_names",
                                   "model_max_length",
                                   "name_or_path",
                                   "pad_to_multiple_of",
                                   "pad_token_type_id",
                                   "padding",
                                   "padding_side",
                                   "processor_class",
                                   "special_tokens_map_file",
                                   "stride",
                                   "tokenizer_file",
                                   "trim_offsets",
                                   "truncation",
                                   "truncation_strategy",
                                   "use_fast"};

json object_in(const std::filesystem::path& path) {
  return is_there(path) ? read_json_object(path) : json::object();
}

std::string content_of(const json& token) {
  const json text = token.is_object() ? token.value("content", json()) : token;
  return text.is_string() ? text.get<std::string>() : "";
}

bool flag_of(const json& token, const char* key, bool value) {
  if (!token.is_object()) return value;
  const auto found = token.find(key);
  return found != token.end() && found->is_boolean() ? found->get<bool>() : value;
}

const json& member(const json& object, const char* key) {
  static const json null;
  const auto found = object.find(key);
  return found == object.end() ? null : *found;
}

}  // namespace

TokenizerConfig::TokenizerConfig(const std::filesystem::path& folder)
    : folder_(folder),
      path_((folder / "tokenizer_config.json").string()),
      json_(object_in(path_)),
      specials_(object_in(folder / "special_tokens_map.json")),
      added_(object_in(folder / "added_tokens.json")) {}

const json& TokenizerConfig::find(const char* key) {
  asked_.insert(key);
  return member(json_, key);
}

const json& TokenizerConfig::find_token(const char* key) {
  const json &own = find(key), &mapped = member(specials_, key);
  if (own.is_null()) return mapped;
  if (!mapped.is_null() && content_of(own) != content_of(mapped)) {
    problem(fmt::format("'{}' is '{}', special_tokens_map.json says '{}'", key,
                        printable(content_of(own)), printable(content_of(mapped))),
            "correct the one that is wrong");
  }
  return own;
}

bool TokenizerConfig::flag(const char* key, bool value) {
  const json& found = find(key);
  if (found.is_null()) return value;
  if (found.is_boolean()) return found.get<bool>();
  problem(fmt::format("'{}' must be true, false or null", key));
  return value;
}

std::optional<bool> TokenizerConfig::flag(const char* key, const std::optional<bool>& other) {
  if (find(key).is_null()) return other;
  const bool own = flag(key, other.value_or(false));
  if (other && *other != own) {
    problem(fmt::format("'{}' is {}, tokenizer.json says {}", key, own, *other),
            "correct the one that is wrong");
  }
  return own;
}

std::string TokenizerConfig::text(const char* key, const std::string& value) {
  const json& found = find(key);
  if (found.is_null()) return value;
  if (found.is_string()) return found;
  problem(fmt::format("'{}' must be a text", key));
  return value;
}

std::string TokenizerConfig::token(const char* key, const std::string& value) {
  return special(key, {value}).text;
}

SpecialToken TokenizerConfig::special(const char* key, SpecialToken value) {
  const json& found = find_token(key);
  if (found.is_null()) return value;
  const std::string text = content_of(found);
  if (text.empty()) {
    problem(fmt::format("'{}' must be a token", key));
    return value;
  }
  value.text = text;
  value.strips_left = flag_of(found, "lstrip", value.strips_left);
  value.strips_right = flag_of(found, "rstrip", value.strips_right);
  return value;
}

void TokenizerConfig::require_flag(const char* key, bool value, const std::string& reason) {
  if (flag(key, value) == value) return;
  problem(fmt::format("'{}' is {}", key, !value), reason);
}

void TokenizerConfig::require_text(const char* key, const std::string& value,
                                   const std::string& reason) {
  const std::string found = text(key, value);
  if (found == value) return;
  problem(fmt::format("'{}' is \"{}\"", key, printable(found)), reason);
}

void TokenizerConfig::require_class(const std::vector<std::string>& known) {
  std::string name = text("tokenizer_class", "");
  if (name.ends_with("Fast")) name.resize(name.size() - 4);
  if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return;
  problem(fmt::format("'tokenizer_class' is \"{}\", which is not supported", printable(name)),
          "with these files it is one of " + quoted_list(known));
}

void TokenizerConfig::require_none(const char* key) {
  const json& found = find(key);
  if (!found.is_null() && (found.is_primitive() || !found.empty()))
    problem(fmt::format("'{}' is not supported", key));
}

void TokenizerConfig::require_added(const std::vector<SpecialToken>& known,
                                    const std::vector<std::string>& vocabulary,
                                    const json& further) {
  std::string where = path_;
  const auto check = [&](const json& token, const json& id) {
    check_added(where, token, id, known, vocabulary);
  };
  for (const auto& [id, token] : find("added_tokens_decoder").items())
    check(token, json::parse(id, nullptr, /*allow_exceptions=*/false));
  for (const char* key : {"additional_special_tokens", "extra_special_tokens"}) {
    for (const json& token : find_token(key)) check(token, json());
  }
  for (const char* key : {"bos_token", "eos_token"}) {
    if (const json& token = find_token(key); !token.is_null()) check(token, json());
  }
  where = (folder_ / "added_tokens.json").string();
  for (const auto& [token, id] : added_.items()) check(token, id);
  where = (folder_ / "tokenizer.json").string();
  for (const json& token : further) check(token, token.is_object() ? member(token, "id") : json());
}

// A null id is not compared.
void TokenizerConfig::check_added(const std::string& where, const json& token, const json& id,
                                  const std::vector<SpecialToken>& known,
                                  const std::vector<std::string>& vocabulary) {
  const std::string text = content_of(token);
  const auto same = std::find_if(known.begin(), known.end(),
                                 [&](const SpecialToken& one) { return one.text == text; });
  const std::string name = fmt::format("the added token '{}'", printable(text));
  if (same == known.end()) {
    problems_.add(where, name + " is not supported", "only the special tokens can be added");
  } else if (flag_of(token, "single_word", false) ||
             flag_of(token, "lstrip", same->strips_left) != same->strips_left ||
             flag_of(token, "rstrip", same->strips_right) != same->strips_right) {
    problems_.add(where, name + " is described in two ways, or as a single word",
                  "lstrip and rstrip must be those of its own key");
  } else if (!id.is_null() &&
             (!id.is_number_unsigned() || id.get<uint64_t>() >= vocabulary.size() ||
              vocabulary[id.get<size_t>()] != text)) {
    problems_.add(where, fmt::format("{} has the id {}, but another in the vocabulary", name,
                                     printable(id.dump())));
  }
}

std::vector<std::string> TokenizerConfig::unused() const {
  std::vector<std::string> keys;
  for (const auto& [key, value] : json_.items()) {
    if (!value.is_null() && !asked_.contains(key) && !kNoIds.contains(key))
      keys.push_back(printable(key));
  }
  return keys;
}

}  // namespace kdbench
