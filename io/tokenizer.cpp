// SPDX-License-Identifier: MIT
// What tokenizers share, and loading one from a Hugging Face folder.
#include "io/tokenizer.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/error.h"
#include "io/foreign_error.h"
#include "io/text.h"
#include "io/wordpiece.h"

namespace kdbench {
namespace {

constexpr const char* kConfigName = "tokenizer_config.json";
constexpr const char* kVocabularyName = "vocab.txt";

// tokenizer_config.json: absent or null keys keep their defaults, wrong types are collected.
class Config {
 public:
  explicit Config(const std::filesystem::path& path) : path_(path.string()) {
    if (!std::filesystem::exists(path)) return;
    try {
      json_ = nlohmann::json::parse(read_text_file(path));
    } catch (const nlohmann::json::exception& error) {
      throw_user_error(path_, "no valid JSON: " + json_problem(error));
    }
    if (!json_.is_object()) throw_user_error(path_, "no JSON object");
  }

  bool flag(const char* key, bool value) {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return value;
    if (found->is_boolean()) return found->get<bool>();
    problems_.add(path_, std::string("'") + key + "' must be true, false or null");
    return value;
  }

  // A token is a string, or an object with its text as "content".
  std::string token(const char* key, const std::string& value) {
    const auto found = json_.find(key);
    if (found == json_.end() || found->is_null()) return value;
    const nlohmann::json text =
        found->is_object() ? found->value("content", nlohmann::json()) : *found;
    if (text.is_string() && !text.get_ref<const std::string&>().empty()) return text;
    problems_.add(path_, std::string("'") + key + "' must be a token");
    return value;
  }

  void require_true(const char* key, const std::string& reason) {
    if (!flag(key, true)) problems_.add(path_, std::string("'") + key + "' is false", reason);
  }
  void throw_if_any() const { problems_.throw_if_any(path_); }

 private:
  std::string path_;
  nlohmann::json json_ = nlohmann::json::object();
  Problems problems_;
};

WordPieceOptions read_options(const std::filesystem::path& path) {
  Config config(path);
  WordPieceOptions options;
  options.normalizer.lower_case = config.flag("do_lower_case", true);
  options.normalizer.strip_accents = config.flag("strip_accents", options.normalizer.lower_case);
  options.normalizer.space_cjk = config.flag("tokenize_chinese_chars", true);
  options.pad = config.token("pad_token", options.pad);
  options.unknown = config.token("unk_token", options.unknown);
  options.cls = config.token("cls_token", options.cls);
  options.separator = config.token("sep_token", options.separator);
  options.mask = config.token("mask_token", options.mask);
  config.require_true("do_basic_tokenize", "text without splitting into words is not supported");
  config.throw_if_any();
  return options;
}

}  // namespace

std::pair<size_t, size_t> truncate_longest_first(size_t a, size_t b, size_t budget) {
  if (a + b <= budget) return {a, b};
  const size_t half = budget / 2, rest = budget - half;
  const bool a_is_shorter = a <= b;
  const size_t shorter = std::min(a, b);
  const bool only_longer = 2 * shorter <= budget;
  const size_t keep_shorter = only_longer ? shorter : half;
  const size_t keep_longer = only_longer ? budget - shorter : rest;
  return a_is_shorter ? std::pair{keep_shorter, keep_longer} : std::pair{keep_longer, keep_shorter};
}

std::unique_ptr<Tokenizer> load_wordpiece(const std::filesystem::path& folder) {
  const auto path = folder / kVocabularyName;
  const std::string text = read_text_file(path);
  std::vector<std::string> vocabulary;
  for (std::string_view rest = text; !rest.empty();) vocabulary.emplace_back(take_line(rest));
  return std::make_unique<WordPiece>(vocabulary, read_options(folder / kConfigName), path.string());
}

std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(folder)) throw_user_error(folder.string(), "the folder does not exist");
  if (fs::exists(folder / kVocabularyName)) return load_wordpiece(folder);
  if (fs::exists(folder / "merges.txt")) {
    throw_user_error(folder.string(),
                     "byte-level BPE (vocab.json, merges.txt) is not available yet",
                     "use a folder with vocab.txt");
  }
  throw_user_error(folder.string(), "there is no vocab.txt",
                   "a Hugging Face folder of a BERT model has it beside config.json");
}

}  // namespace kdbench
