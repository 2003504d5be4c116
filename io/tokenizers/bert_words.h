// SPDX-License-Identifier: MIT
// BERT's words: what its "basic" tokenisation makes of a text before any piece is looked up. ASCII
// text is normalised byte by byte on the way; any other goes through ICU first.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string_view>

#include "io/tokenizers/bert_normalizer.h"

namespace kdbench {

class BertWords {
 public:
  explicit BertWords(BertNormalizerOptions options = {});

  // Calls `word` with each word in order, normalised; a punctuation mark is a word of its own. One
  // of more than 100 characters comes as an empty one: nobody knows such words. Thread-safe.
  void split(std::string_view text, const std::function<void(std::string_view)>& word) const;

 private:
  enum class Kind : uint8_t { kLetter, kBlank, kPunctuation, kDropped };
  struct AsciiEntry {
    Kind kind;
    char out;
  };

  BertNormalizerOptions options_;
  std::array<AsciiEntry, 128> ascii_;
};

}  // namespace kdbench
