// SPDX-License-Identifier: MIT
#include "io/tokenizers/language_words.h"

#include <algorithm>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/tokenizers/word_vocabulary.h"

namespace kdbench {
namespace {

constexpr std::string_view kLanguageWordsVersion = "language words 1";  // changes when ids change
constexpr const char* kEndOfSentence = "<eos>";

std::string language_words_identity(const std::vector<std::string>& words, bool lower_case) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.update(text).update("\n"); };
  add(kLanguageWordsVersion);
  add(lower_case ? "lower" : "cased");
  for (const auto& word : words) add(word);
  return hash.hex();
}

}  // namespace

bool LanguageWords::is_one(const std::vector<std::string>& lines) {
  const auto has = [&](const char* word) {
    return std::find(lines.begin(), lines.end(), word) != lines.end();
  };
  return has(kEndOfSentence) && has(kUnknownWord) && !has("[UNK]");
}

LanguageWords::LanguageWords(std::vector<std::string> words, bool lower_case,
                             const std::string& where)
    : words_(std::move(words)),
      normalizer_{.lower_case = lower_case, .strip_accents = false, .space_cjk = false},
      where_(where),
      sha256_(language_words_identity(words_, lower_case)) {
  for (size_t id = 0; id < words_.size(); ++id) ids_.emplace(words_[id], static_cast<int32_t>(id));
  end_ = ids_.at(kEndOfSentence);
  unknown_ = ids_.at(kUnknownWord);
}

void LanguageWords::append(std::string_view text, std::vector<int32_t>& ids) const {
  const std::string plain = normalize_bert(text, normalizer_);
  for (std::string_view rest = plain; !rest.empty();) {
    const size_t begin = std::min(rest.find_first_not_of(' '), rest.size());
    rest.remove_prefix(begin);
    const size_t end = std::min(rest.find(' '), rest.size());
    if (end == 0) break;
    const auto found = ids_.find(rest.substr(0, end));
    ids.push_back(found == ids_.end() ? unknown_ : found->second);
    rest.remove_prefix(end);
  }
}

std::string LanguageWords::text_of(std::span<const int32_t> ids) const {
  std::string text;
  for (const int32_t id : ids) {
    if (!text.empty()) text += ' ';
    text += words_.at(static_cast<size_t>(id));
  }
  return text;
}

RowFrame LanguageWords::frame() const {
  throw_user_error(where_,
                   "is a language model's vocabulary: it has no special tokens around a row",
                   "it is for transfo-xl");
}

}  // namespace kdbench
