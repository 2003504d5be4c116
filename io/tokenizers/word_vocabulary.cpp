// SPDX-License-Identifier: MIT
#include "io/tokenizers/word_vocabulary.h"

#include <algorithm>
#include <array>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr std::string_view kWordsVersion = "words 1";  // changes when ids change
constexpr std::array<const char*, 5> kWholeInTexts{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

std::vector<SpecialToken> whole_in_texts() {
  std::vector<SpecialToken> tokens;
  for (const char* text : kWholeInTexts)
    tokens.push_back({text, static_cast<int32_t>(tokens.size())});
  return tokens;
}

std::string words_identity(const std::vector<std::string>& words,
                           const BertNormalizerOptions& options) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.update(text).update("\n"); };
  add(kWordsVersion);
  add(options.lower_case ? "lower" : "cased");
  add(options.strip_accents ? "strip" : "accents");
  add(options.space_cjk ? "space" : "together");
  for (const auto& word : words) add(word);
  return hash.hex();
}

}  // namespace

WholeWords::WholeWords(BertNormalizerOptions options)
    : words_(options), specials_(whole_in_texts()) {}

void WholeWords::split(std::string_view text,
                       const std::function<void(std::string_view)>& word) const {
  specials_.split(
      text, [&](std::string_view part) { words_.split(part, word); },
      [&](int32_t place) { word(kWholeInTexts[static_cast<size_t>(place)]); });
}

bool WordVocabulary::is_one(const std::vector<std::string>& lines) {
  return lines.size() >= 2 && lines[0] == kUnknownWord && lines[1] == kPaddingWord;
}

WordVocabulary::WordVocabulary(std::vector<std::string> words, BertNormalizerOptions options,
                               const std::string& where)
    : words_(std::move(words)),
      where_(where),
      sha256_(words_identity(words_, options)),
      splitter_(options) {
  for (size_t id = 0; id < words_.size(); ++id) {
    if (ids_.emplace(words_[id], static_cast<int32_t>(id)).second) continue;
    throw_user_error(where, "the word '" + printable(words_[id]) + "' is there twice, in line " +
                                std::to_string(id + 1) + " again");
  }
}

void WordVocabulary::append(std::string_view text, std::vector<int32_t>& ids) const {
  splitter_.split(text, [&](std::string_view word) {
    const auto found = word.empty() ? ids_.end() : ids_.find(word);
    ids.push_back(found == ids_.end() ? 0 : found->second);
  });
}

void WordVocabulary::append_alone(std::string_view text, int max_length,
                                  std::vector<int32_t>& ids) const {
  const size_t before = ids.size(), most = before + static_cast<size_t>(max_length);
  append(text, ids);
  if (ids.size() == before) ids.push_back(1);
  if (ids.size() > most) ids.resize(most);
}

RowFrame WordVocabulary::frame() const {
  throw_user_error(where_, "is a vocabulary of words: it has no special tokens around a row",
                   "it is for models that read each text by itself (bilstm)");
}

void WordCollector::add(std::string_view text) {
  splitter_.split(text, [&](std::string_view word) {
    if (!word.empty()) words_.emplace(word);
  });
}

std::vector<std::string> WordCollector::vocabulary() const {
  std::vector<std::string> vocabulary(words_.begin(), words_.end());
  std::sort(vocabulary.begin(), vocabulary.end());
  vocabulary.insert(vocabulary.begin(), {kUnknownWord, kPaddingWord});
  return vocabulary;
}

}  // namespace kdbench
