// SPDX-License-Identifier: MIT
#include "io/tokenizers/byte_bpe.h"

#include <fmt/format.h>

#include <unordered_map>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tokenizers/byte_level.h"

namespace kdbench {
namespace {

constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::string_view kByteBpeVersion = "byte-level BPE 1";  // changes when ids change

std::string byte_bpe_identity(const BpeVocabulary& vocabulary, const ByteBpeOptions& options) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.update(text).update("\n"); };
  add(kByteBpeVersion);
  add(options.add_prefix_space ? "prefix" : "as it is");
  for (const auto& special : options.specials) {
    add(special.text);
    add(special.strips_left ? "left" : "-");
    add(special.strips_right ? "right" : "-");
  }
  add(options.first);
  add(options.separator);
  for (const auto& token : vocabulary.tokens) add(token);
  add("");
  for (const auto& merge : vocabulary.merges) {
    add(merge.left);
    add(merge.right);
  }
  return hash.hex();
}

using Ids = std::unordered_map<std::string_view, int32_t>;

Ids ids_of(const BpeVocabulary& vocabulary) {
  Ids ids;
  ids.reserve(vocabulary.tokens.size());
  for (const auto& token : vocabulary.tokens) ids.emplace(token, static_cast<int32_t>(ids.size()));
  return ids;
}

// The id, or a problem.
int32_t special_id(const Ids& ids, const std::string& token, const std::string& where,
                   Problems& problems) {
  const auto found = ids.find(token);
  if (found != ids.end()) return found->second;
  problems.add(where, fmt::format("the special token '{}' is missing", printable(token)));
  return -1;
}

}  // namespace

ByteBpe::ByteBpe(const BpeVocabulary& vocabulary, ByteBpeOptions options)
    : options_(std::move(options)),
      vocabulary_size_(static_cast<int64_t>(vocabulary.tokens.size())),
      sha256_(byte_bpe_identity(vocabulary, options_)),
      merges_(vocabulary.merges.size()) {
  const Ids ids = ids_of(vocabulary);
  Problems problems;
  for (int byte = 0; byte < 256; ++byte) {
    const auto symbol = symbol_of_byte(static_cast<unsigned char>(byte));
    const auto found = ids.find(symbol);
    byte_ids_[static_cast<size_t>(byte)] = found == ids.end() ? -1 : found->second;
    if (found != ids.end()) continue;
    problems.add(vocabulary.tokens_file,
                 fmt::format("there is no '{}' for the byte {}", symbol, byte),
                 "a byte-level vocabulary has all 256");
  }
  for (auto& special : options_.specials) {
    special.id = special_id(ids, special.text, vocabulary.tokens_file, problems);
  }
  if (!options_.first.empty()) {
    frame_.first = special_id(ids, options_.first, vocabulary.tokens_file, problems);
    frame_.separator = special_id(ids, options_.separator, vocabulary.tokens_file, problems);
    frame_.between = 2;
  }
  problems.throw_if_any(vocabulary.tokens_file);
  specials_ = SpecialTokens(options_.specials);
  for (const auto& token : vocabulary.tokens)
    bytes_.push_back(bytes_of_symbols(token).value_or(token));
  if (const auto end = ids.find(kEndOfText); end != ids.end()) end_ = end->second;
  take_merges(vocabulary);
  take_whole_words(vocabulary);
}

void ByteBpe::take_merges(const BpeVocabulary& vocabulary) {
  const Ids ids = ids_of(vocabulary);
  Problems problems;
  for (const auto& merge : vocabulary.merges) {
    const std::string place = fmt::format("{}:{}", vocabulary.merges_file, merge.line);
    bool known = true;
    for (const auto& token : {merge.left, merge.right, merge.left + merge.right}) {
      if (ids.contains(token)) continue;
      known = false;
      problems.add(place,
                   fmt::format("'{}' is not in {}", printable(token), vocabulary.tokens_file));
    }
    if (known &&
        !merges_.add(ids.at(merge.left), ids.at(merge.right), ids.at(merge.left + merge.right))) {
      problems.add(place, fmt::format("'{} {}' is there already", printable(merge.left),
                                      printable(merge.right)));
    }
  }
  problems.throw_if_any(vocabulary.merges_file);
}

void ByteBpe::take_whole_words(const BpeVocabulary& vocabulary) {
  Merger merger(merges_);
  std::vector<std::string> words;
  std::vector<int32_t> merged;
  for (int32_t id = 0; id < vocabulary_size_; ++id) {
    auto word = bytes_of_symbols(vocabulary.tokens[static_cast<size_t>(id)]);
    if (!word) continue;
    merged.clear();
    append_merged(*word, merger, merged);
    if (merged != std::vector<int32_t>{id}) continue;
    words.push_back(std::move(*word));
    whole_ids_.push_back(id);
  }
  whole_.emplace(words);
}

void ByteBpe::append_merged(std::string_view word, Merger& merger,
                            std::vector<int32_t>& ids) const {
  const size_t begin = ids.size();
  for (const char c : word) ids.push_back(byte_ids_[static_cast<unsigned char>(c)]);
  merger.merge(ids, begin);
}

void ByteBpe::append(std::string_view text, std::vector<int32_t>& ids) const {
  Merger merger(merges_);
  const auto words = [&](std::string_view part) {
    if (options_.add_prefix_space && part[0] != ' ') {
      append_words(fmt::format(" {}", part), merger, ids);
    } else {
      append_words(part, merger, ids);
    }
  };
  specials_.split(text, words, [&](int32_t id) { ids.push_back(id); });
}

void ByteBpe::append_words(std::string_view text, Merger& merger, std::vector<int32_t>& ids) const {
  while (!text.empty()) {
    const std::string_view word = take_word(text);
    if (const int32_t whole = whole_->id(word); whole >= 0) {
      ids.push_back(whole_ids_[static_cast<size_t>(whole)]);
    } else {
      append_merged(word, merger, ids);
    }
  }
}

TextMarks ByteBpe::text_marks() const {
  if (end_ < 0) return Tokenizer::text_marks();
  return {end_};
}

std::string ByteBpe::text_of(std::span<const int32_t> ids) const {
  std::string text;
  for (const int32_t id : ids) text += bytes_.at(static_cast<size_t>(id));
  return text;
}

RowFrame ByteBpe::frame() const {
  if (frame_.first >= 0) return frame_;
  throw_user_error("tokenizer", "its vocabulary has no <s> and </s> to put around a row",
                   "GPT-2's vocabulary gives plain ids only; take RoBERTa's");
}

}  // namespace kdbench
