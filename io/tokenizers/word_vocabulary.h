// SPDX-License-Identifier: MIT
// Whole words as tokens: BERT's words (bert_words.h), with BERT's special tokens kept whole where
// they stand in a text. Line 0 of such a vocab.txt is <unk>, line 1 <pad>; nothing else tells it
// from a vocabulary of pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "io/tokenizers/bert_words.h"
#include "io/tokenizers/special_tokens.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

inline constexpr const char* kUnknownWord = "<unk>";  // id 0
inline constexpr const char* kPaddingWord = "<pad>";  // id 1: the only token of an empty text

// Cuts texts into such words.
class WholeWords {
 public:
  explicit WholeWords(BertNormalizerOptions options = {});
  // An empty word stands for one that is too long to be known. Thread-safe.
  void split(std::string_view text, const std::function<void(std::string_view)>& word) const;

 private:
  BertWords words_;
  SpecialTokens specials_;
};

class WordVocabulary : public Tokenizer {
 public:
  // Whether these lines of a vocab.txt are words.
  static bool is_one(const std::vector<std::string>& lines);

  // `words` in the order of their ids, as is_one says. Throws a user error (at `where`) for a word
  // that is there twice.
  WordVocabulary(std::vector<std::string> words, BertNormalizerOptions options,
                 const std::string& where);

  int second_segment_type() const override { return 1; }
  int64_t vocabulary_size() const override { return static_cast<int64_t>(words_.size()); }
  std::string sha256() const override { return sha256_; }
  const std::vector<std::string>* words() const override { return &words_; }

 protected:
  void append(std::string_view text, std::vector<int32_t>& ids) const override;
  // Words stand alone: nothing around them, and the padding in place of an empty text.
  void append_alone(std::string_view text, int max_length,
                    std::vector<int32_t>& ids) const override;
  // There are none.
  RowFrame frame() const override;

 private:
  std::vector<std::string> words_;
  std::string where_, sha256_;
  WholeWords splitter_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views of words_
};

// The words of texts, collected into a vocabulary.
class WordCollector {
 public:
  void add(std::string_view text);
  // <unk>, <pad>, then all words in the order of their bytes.
  std::vector<std::string> vocabulary() const;

 private:
  WholeWords splitter_;
  std::unordered_set<std::string> words_;
};

}  // namespace kdbench
