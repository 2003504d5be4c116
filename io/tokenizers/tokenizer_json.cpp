// SPDX-License-Identifier: MIT
#include "io/tokenizers/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/json_file.h"
#include "io/base/look.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kTokenizerJson = "tokenizer.json";

// Null when absent, or `object` is none.
json value_at(const json& object, const char* key) {
  return object.is_object() ? object.value(key, json()) : json();
}

std::string type_of(const json& part) {
  const json type = value_at(part, "type");
  return type.is_string() ? type.get<std::string>() : "";
}

// Takes the parts of one file, collecting what is wrong with them as "<file>: <part>.<key>: ...".
class TokenizerJsonReader {
 public:
  explicit TokenizerJsonReader(const fs::path& path)
      : path_(path.string()), json_(read_json_object(path)) {}

  TokenizerJson read() {
    const json model = value_at(json_, "model");
    TokenizerJson found;
    found.byte_bpe =
        type_of(model) == "BPE" || (type_of(model).empty() && model.contains("merges"));
    if (!found.byte_bpe && type_of(model) != "WordPiece" && !type_of(model).empty()) {
      throw_user_error(path_, "its model, \"" + printable(type_of(model)) + "\", is not supported",
                       "\"WordPiece\" and \"BPE\" of bytes are");
    }
    if (const json added = value_at(json_, "added_tokens"); added.is_array()) found.added = added;
    found.byte_bpe ? read_bpe(model, found) : read_wordpiece(model, found);
    problems_.throw_if_any(path_);
    found.tokens = tokens_by_id(value_at(model, "vocab"), path_);
    return found;
  }

 private:
  void read_wordpiece(const json& model, TokenizerJson& found) {
    only("model", model, "continuing_subword_prefix", "##");
    only("model", model, "max_input_chars_per_word", 100);
    if (const json unknown = value_at(model, "unk_token"); unknown.is_string())
      found.unknown = unknown;
    const json normalizer = part("normalizer", "BertNormalizer");
    only("normalizer", normalizer, "clean_text", true);
    found.lower_case = flag("normalizer", normalizer, "lowercase");
    found.strip_accents = flag("normalizer", normalizer, "strip_accents");
    found.space_cjk = flag("normalizer", normalizer, "handle_chinese_chars");
    part("pre_tokenizer", "BertPreTokenizer");
  }

  void read_bpe(const json& model, TokenizerJson& found) {
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      only("model", model, key, "");
    only("model", model, "dropout", json());
    for (const char* key : {"byte_fallback", "ignore_merges"}) only("model", model, key, false);
    if (!value_at(json_, "normalizer").is_null()) problem("normalizer", "must be null");
    const json cut = part("pre_tokenizer", "ByteLevel");
    only("pre_tokenizer", cut, "use_regex", true);
    found.add_prefix_space = flag("pre_tokenizer", cut, "add_prefix_space");
    for (const json& merge : value_at(model, "merges"))
      take_merge(merge, static_cast<int64_t>(found.merges.size()) + 1, found);
  }

  // "left right" in older files, ["left", "right"] in newer ones.
  void take_merge(const json& merge, int64_t number, TokenizerJson& found) {
    if (merge.is_string()) {
      const std::string text = merge;
      const size_t blank = text.find(' ');
      if (blank != std::string::npos) {
        found.merges.push_back({text.substr(0, blank), text.substr(blank + 1), number});
        return;
      }
    } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() &&
               merge[1].is_string()) {
      found.merges.push_back({merge[0], merge[1], number});
      return;
    }
    problem("model.merges", fmt::format("number {} is no pair of tokens", number));
    found.merges.push_back({"", "", number});
  }

  // The part, which must be of this type.
  json part(const char* name, const char* type) {
    json found = value_at(json_, name);
    if (type_of(found) != type) {
      problem(name, fmt::format("\"{}\" is not supported, only \"{}\"",
                                found.is_null() ? "null" : printable(type_of(found)), type));
    }
    return found;
  }

  // An absent key is as good as the one value that is supported.
  void only(const std::string& name, const json& part, const char* key, const json& value) {
    const json found = value_at(part, key);
    if (!found.is_null() && found != value) {
      problem(name + "." + key,
              printable(found.dump()) + " is not supported, only " + value.dump());
    }
  }

  std::optional<bool> flag(const std::string& name, const json& part, const char* key) {
    const json found = value_at(part, key);
    if (found.is_boolean()) return found.get<bool>();
    if (!found.is_null()) problem(name + "." + key, "must be true, false or null");
    return std::nullopt;
  }

  void problem(const std::string& place, const std::string& what) {
    problems_.add(path_, place + ": " + what);
  }

  std::string path_;
  json json_;
  Problems problems_;
};

}  // namespace

std::optional<TokenizerJson> read_tokenizer_json(const fs::path& folder) {
  if (!is_there(folder / kTokenizerJson)) return std::nullopt;
  return TokenizerJsonReader(folder / kTokenizerJson).read();
}

std::vector<std::string> tokens_by_id(const json& vocabulary, const std::string& where) {
  Problems problems;
  if (!vocabulary.is_object()) throw_user_error(where, "its vocabulary does not map tokens to ids");
  std::vector<std::string> tokens(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) {
    const std::string name = fmt::format("'{}'", printable(token));
    if (token.empty()) {
      problems.add(where, fmt::format("the token of id {} is empty", printable(id.dump())));
    } else if (!id.is_number_unsigned() || id.get<uint64_t>() >= tokens.size()) {
      problems.add(where,
                   fmt::format("{} has the id {}, expected 0 to {}", name, printable(id.dump()),
                               tokens.size() - 1),
                   "the ids of all tokens follow each other, each once");
    } else if (std::string& place = tokens[id.get<size_t>()]; place.empty()) {
      place = token;
    } else {
      problems.add(where,
                   fmt::format("{} has the id of '{}', {}", name, printable(place), id.dump()));
    }
  }
  if (tokens.empty()) problems.add(where, "there are no tokens");
  problems.throw_if_any(where);
  return tokens;
}

void check_same_tokens(const TokenizerJson& json, const std::vector<std::string>& tokens,
                       const fs::path& file) {
  const auto [here, there] =
      std::mismatch(tokens.begin(), tokens.end(), json.tokens.begin(), json.tokens.end());
  if (here == tokens.end() && there == json.tokens.end()) return;
  const auto text = [](auto at, auto end) {
    return at == end ? "none" : fmt::format("'{}'", printable(*at));
  };
  throw_user_error(
      file.string(),
      fmt::format("its token of id {} is {}, that of {} {}", here - tokens.begin(),
                  text(here, tokens.end()), kTokenizerJson, text(there, json.tokens.end())),
      "one of the two files is another model's");
}

}  // namespace kdbench
