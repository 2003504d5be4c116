// SPDX-License-Identifier: MIT
#include "io/tokenizers/wordpiece.h"

#include <fmt/core.h>

#include <unordered_set>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr std::string_view kWordPieceVersion = "wordpiece 1";  // changes when ids change

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
    : pieces_(vocabulary),
      options_(std::move(options)),
      words_(options_.normalizer),
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
}

MaskMarks WordPiece::mask_marks() const {
  MaskMarks marks{trie_.id(options_.mask), options_.mask, {}};
  for (const auto& special : special_tokens(options_)) marks.specials.push_back(trie_.id(special));
  return marks;
}

std::string WordPiece::text_of(std::span<const int32_t> ids) const {
  std::string text;
  for (const int32_t id : ids) {
    std::string_view piece = pieces_.at(static_cast<size_t>(id));
    if (piece.starts_with("##") && piece.size() > 2 && !text.empty()) {
      piece.remove_prefix(2);
    } else if (!text.empty()) {
      text += ' ';
    }
    text += piece;
  }
  return text;
}

// What lies between special tokens is normalised by itself.
void WordPiece::append(std::string_view text, std::vector<int32_t>& ids) const {
  specials_.split(
      text, [&](std::string_view part) { append_words(part, ids); },
      [&](int32_t id) { ids.push_back(id); });
}

void WordPiece::append_words(std::string_view text, std::vector<int32_t>& ids) const {
  words_.split(text, [&](std::string_view word) {
    if (word.empty()) {
      ids.push_back(unknown_);
    } else {
      append_pieces(word, ids);
    }
  });
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
