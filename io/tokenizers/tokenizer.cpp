// SPDX-License-Identifier: MIT
// What tokenizers share, and loading one from a Hugging Face folder.
#include "io/tokenizers/tokenizer.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/tokenizer_config.h"
#include "io/tokenizers/wordpiece.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigName = "tokenizer_config.json";
constexpr const char* kVocabularyName = "vocab.txt";

WordPieceOptions read_options(const std::filesystem::path& path) {
  TokenizerConfig config(path);
  WordPieceOptions options;
  options.normalizer.lower_case = config.flag("do_lower_case", true);
  options.normalizer.strip_accents = config.flag("strip_accents", options.normalizer.lower_case);
  options.normalizer.space_cjk = config.flag("tokenize_chinese_chars", true);
  options.pad = config.token("pad_token", options.pad);
  options.unknown = config.token("unk_token", options.unknown);
  options.cls = config.token("cls_token", options.cls);
  options.separator = config.token("sep_token", options.separator);
  options.mask = config.token("mask_token", options.mask);
  config.require_flag("do_basic_tokenize", true,
                      "text without splitting into words is not supported");
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

std::vector<int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int32_t> ids;
  append(text, ids);
  return ids;
}

Encoding Tokenizer::encode_row(std::string_view a, const std::string_view* b,
                               int max_length) const {
  const RowFrame specials = frame();
  const size_t between = b ? static_cast<size_t>(specials.between) : 0, count = 2 + between;
  if (max_length < static_cast<int>(count)) {
    throw_user_error("max_seq_length", std::to_string(max_length) + " leaves no room for the " +
                                           std::to_string(count) + " special tokens");
  }
  Encoding row;
  auto& ids = row.ids;
  ids.push_back(specials.first);
  append(a, ids);
  const size_t length_a = ids.size() - 1;
  if (b) append(*b, ids);
  const size_t length_b = ids.size() - 1 - length_a;
  const auto [keep_a, keep_b] =
      truncate_longest_first(length_a, length_b, static_cast<size_t>(max_length) - count);

  const auto at = [&](size_t i) { return ids.begin() + static_cast<ptrdiff_t>(i); };
  ids.erase(at(1 + length_a + keep_b), ids.end());
  ids.erase(at(1 + keep_a), at(1 + length_a));
  ids.insert(at(1 + keep_a), between, specials.separator);
  ids.push_back(specials.separator);
  row.first_segment = static_cast<int32_t>(keep_a + 2);
  return row;
}

namespace {

std::unique_ptr<Tokenizer> read_tokenizer(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw_user_error(folder.string(), "the folder does not exist");
  if (fs::exists(folder / kVocabularyName)) return load_wordpiece(folder);
  if (fs::exists(folder / "vocab.json") || fs::exists(folder / "merges.txt")) {
    return load_byte_bpe(folder);
  }
  const bool converted = fs::exists(folder / "tokenizer.json");
  throw_user_error(
      folder.string(),
      std::string("there is no vocab.txt, nor vocab.json with merges.txt") +
          (converted ? "; tokenizer.json alone is not read" : ""),
      converted ? "with Python and tokenizers, in the folder: python -c \"import tokenizers; "
                  "tokenizers.Tokenizer.from_file('tokenizer.json').model.save('.')\""
                : "a Hugging Face folder has them beside config.json");
}

// Changes with any file that decides the ids.
std::string content_key(const fs::path& folder) {
  std::string key;
  for (const char* name :
       {kVocabularyName, "vocab.json", "merges.txt", "added_tokens.json", kConfigName}) {
    key += fs::exists(folder / name) ? file_sha256(folder / name) + " " : "- ";
  }
  return key;
}

}  // namespace

std::shared_ptr<const Tokenizer> load_tokenizer(const fs::path& folder) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Tokenizer>> loaded;
  const std::string key = content_key(folder);
  const std::lock_guard lock(mutex);
  auto& tokenizer = loaded[key];
  if (!tokenizer) tokenizer = read_tokenizer(folder);
  return tokenizer;
}

}  // namespace kdbench
