// SPDX-License-Identifier: MIT
// WordPiece as BERT uses it: special tokens of the raw text, words, longest pieces. Ids equal those
// of the "tokenizers" library.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tokenizers/bert_words.h"
#include "io/tokenizers/piece_trie.h"
#include "io/tokenizers/special_tokens.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

struct WordPieceOptions {
  BertNormalizerOptions normalizer;
  std::string pad = "[PAD]", unknown = "[UNK]", cls = "[CLS]", separator = "[SEP]", mask = "[MASK]";
};

class WordPiece : public Tokenizer {
 public:
  // `vocabulary` in the order of its ids. Of a token that stands there again the last id counts, as
  // in transformers, and an empty one is never found: both are noted. Throws a user error (at
  // `where`) that lists missing special tokens.
  WordPiece(const std::vector<std::string>& vocabulary, WordPieceOptions options,
            const std::string& where);

  int second_segment_type() const override { return 1; }
  int64_t vocabulary_size() const override { return vocabulary_size_; }
  std::string sha256() const override { return sha256_; }
  // [SEP] is both.
  TextMarks text_marks() const override { return {frame_.separator, frame_.separator}; }
  MaskMarks mask_marks() const override;
  // Words with blanks between them.
  std::string text_of(std::span<const int32_t> ids) const override;

 protected:
  void append(std::string_view text, std::vector<int32_t>& ids) const override;
  RowFrame frame() const override { return frame_; }

 private:
  void append_words(std::string_view text, std::vector<int32_t>& ids) const;
  void append_pieces(std::string_view word, std::vector<int32_t>& ids) const;

  std::vector<std::string> pieces_;  // by id
  WordPieceOptions options_;
  BertWords words_;
  int64_t vocabulary_size_ = 0;
  std::string sha256_;
  PieceTrie trie_;
  PieceTrie::Node continuation_ = PieceTrie::kRoot;  // below "##"
  bool has_continuation_ = false;
  int32_t unknown_ = -1;
  RowFrame frame_;
  SpecialTokens specials_;
};

}  // namespace kdbench
