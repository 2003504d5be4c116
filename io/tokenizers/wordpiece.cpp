// SPDX-License-Identifier: MIT
#include "io/tokenizers/wordpiece.h"

#include <fmt/core.h>
#include <unicode/utf8.h>

#include <cctype>
#include <cstring>
#include <unordered_set>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr std::string_view kWordPieceVersion = "wordpiece 1";  // changes when ids change
constexpr size_t kMaxWordCharacters = 100;                     // longer words are unknown

// A word under construction; keeps no more than the pieces may see.
class Word {
 public:
  void add(const char* bytes, size_t count) {
    if (++characters_ > kMaxWordCharacters) return;
    std::memcpy(bytes_.data() + size_, bytes, count);
    size_ += count;
  }
  bool empty() const { return characters_ == 0; }
  bool too_long() const { return characters_ > kMaxWordCharacters; }
  std::string_view view() const { return {bytes_.data(), size_}; }
  void clear() { size_ = characters_ = 0; }

 private:
  std::array<char, kMaxWordCharacters * U8_MAX_LENGTH> bytes_;
  size_t size_ = 0, characters_ = 0;
};

std::vector<std::string> special_tokens(const WordPieceOptions& options) {
  return {options.pad, options.unknown, options.cls, options.separator, options.mask};
}

// Which ids are never given: those of empty tokens, and of tokens that stand there again below.
std::vector<size_t> dead_ids(const std::vector<std::string>& vocabulary) {
  std::vector<size_t> dead;
  std::unordered_set<std::string_view> below;
  for (size_t id = vocabulary.size(); id-- > 0;) {
    if (vocabulary[id].empty() || !below.insert(vocabulary[id]).second) dead.push_back(id);
  }
  return {dead.rbegin(), dead.rend()};
}

// The vocabulary as the trie takes it, each token once: no text has a piece with a line break.
std::vector<std::string> unique_pieces(std::vector<std::string> vocabulary,
                                       const std::vector<size_t>& dead) {
  for (const size_t id : dead) vocabulary[id] = fmt::format("\n{}", id);
  return vocabulary;
}

void check_specials(const PieceTrie& trie, const WordPieceOptions& options,
                    const std::string& where) {
  Problems problems;
  for (const auto& special : special_tokens(options)) {
    if (trie.id(special) < 0) problems.add(where, "the special token '" + special + "' is missing");
  }
  problems.throw_if_any(where);
}

std::string wordpiece_identity(const std::vector<std::string>& vocabulary,
                               const WordPieceOptions& options) {
  Sha256 hash;
  const auto add = [&](std::string_view text) { hash.update(text).update("\n"); };
  add(kWordPieceVersion);
  add(options.normalizer.lower_case ? "lower" : "cased");
  add(options.normalizer.strip_accents ? "strip" : "accents");
  add(options.normalizer.space_cjk ? "space" : "together");
  for (const auto& special : special_tokens(options)) add(special);
  for (const auto& token : vocabulary) add(token);
  return hash.hex();
}

}  // namespace

WordPiece::WordPiece(const std::vector<std::string>& vocabulary, WordPieceOptions options,
                     const std::string& where)
    : options_(std::move(options)),
      vocabulary_size_(static_cast<int64_t>(vocabulary.size())),
      sha256_(wordpiece_identity(vocabulary, options_)),
      trie_(unique_pieces(vocabulary, dead_ids(vocabulary))) {
  check_specials(trie_, options_, where);
  if (const auto dead = dead_ids(vocabulary); !dead.empty()) {
    add_note(
        std::to_string(dead.size()) +
        " entries of its vocabulary are empty or stand there again further on, so their ids are "
        "never given (the first in line " +
        std::to_string(dead.front() + 1) + ")");
  }
  std::vector<SpecialToken> specials;
  for (const auto& special : special_tokens(options_)) {
    specials.push_back({special, trie_.id(special)});
  }
  specials_ = SpecialTokens(std::move(specials));
  unknown_ = trie_.id(options_.unknown);
  frame_ = {trie_.id(options_.cls), trie_.id(options_.separator)};
  if (const auto node = trie_.find("##")) {
    continuation_ = *node;
    has_continuation_ = true;
  }
  fill_ascii();
}

void WordPiece::fill_ascii() {
  for (int c = 0; c < 128; ++c) {
    AsciiEntry& entry = ascii_[static_cast<size_t>(c)];
    entry.out = static_cast<char>(c);
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      entry.kind = Kind::kBlank;
    } else if (c < 0x20 || c == 0x7F) {
      entry.kind = Kind::kDropped;
    } else if (std::ispunct(c)) {
      entry.kind = Kind::kPunctuation;
    } else {
      entry.kind = Kind::kLetter;
      if (options_.normalizer.lower_case && c >= 'A' && c <= 'Z') {
        entry.out = static_cast<char>(c - 'A' + 'a');
      }
    }
  }
}

// What lies between special tokens is normalised by itself.
void WordPiece::append(std::string_view text, std::vector<int32_t>& ids) const {
  specials_.split(
      text, [&](std::string_view part) { append_words(part, ids); },
      [&](int32_t id) { ids.push_back(id); });
}

void WordPiece::append_words(std::string_view text, std::vector<int32_t>& ids) const {
  std::string normalized;
  if (!is_ascii(text)) {
    normalized = normalize_bert(text, options_.normalizer);
    text = normalized;
  }
  Word word;
  const auto finish = [&] {
    if (word.empty()) return;
    if (word.too_long()) {
      ids.push_back(unknown_);
    } else {
      append_pieces(word.view(), ids);
    }
    word.clear();
  };
  const auto add = [&](const char* bytes, size_t count, bool alone) {
    if (alone) finish();
    word.add(bytes, count);
    if (alone) finish();
  };
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    const int64_t begin = i;
    UChar32 c = 0;
    U8_NEXT(text.data(), i, size, c);
    if (c >= 0x80) {
      add(text.data() + begin, static_cast<size_t>(i - begin), is_punctuation(c));
      continue;
    }
    const AsciiEntry& entry = ascii_[static_cast<size_t>(c)];
    if (entry.kind == Kind::kBlank) finish();
    if (entry.kind == Kind::kLetter) add(&entry.out, 1, false);
    if (entry.kind == Kind::kPunctuation) add(&entry.out, 1, true);
  }
  finish();
}

// A word with a part that no piece fits is unknown as a whole.
void WordPiece::append_pieces(std::string_view word, std::vector<int32_t>& ids) const {
  const size_t before = ids.size();
  PieceTrie::Node from = PieceTrie::kRoot;
  while (!word.empty()) {
    const auto match = trie_.longest(word, from);
    const bool stuck = match.id < 0 || (match.length < word.size() && !has_continuation_);
    if (stuck) {
      ids.resize(before);
      ids.push_back(unknown_);
      return;
    }
    ids.push_back(match.id);
    word.remove_prefix(match.length);
    from = continuation_;
  }
}

}  // namespace kdbench
