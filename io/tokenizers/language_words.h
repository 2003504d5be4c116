// SPDX-License-Identifier: MIT
// Transformer-XL's tokens: what white space parts, looked up whole. Its vocab.txt has a word a
// line, <eos> and <unk> among them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/tokenizers/bert_normalizer.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

class LanguageWords : public Tokenizer {
 public:
  // Whether these lines of a vocab.txt are such words.
  static bool is_one(const std::vector<std::string>& lines);

  // `words` in the order of their ids, as is_one says; of a word that stands there again the first
  // counts. `lower_case`: texts are lowered first.
  LanguageWords(std::vector<std::string> words, bool lower_case, const std::string& where);

  int second_segment_type() const override { return 0; }
  int64_t vocabulary_size() const override { return static_cast<int64_t>(words_.size()); }
  std::string sha256() const override { return sha256_; }
  // <eos> is both.
  TextMarks text_marks() const override { return {end_, end_}; }
  // Words with blanks between them.
  std::string text_of(std::span<const int32_t> ids) const override;

 protected:
  void append(std::string_view text, std::vector<int32_t>& ids) const override;
  // There are none.
  RowFrame frame() const override;

 private:
  std::vector<std::string> words_;
  BertNormalizerOptions normalizer_;
  std::string where_, sha256_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views of words_
  int32_t end_ = 0, unknown_ = 0;
};

}  // namespace kdbench
