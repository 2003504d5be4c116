// SPDX-License-Identifier: MIT
// WordPiece as BERT uses it: special tokens of the raw text, normalisation, words, longest pieces.
// ASCII text is normalised byte by byte on the way; any other goes through ICU first. Ids equal
// those of the "tokenizers" library.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/tokenizers/bert_normalizer.h"
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

 protected:
  void append(std::string_view text, std::vector<int32_t>& ids) const override;
  RowFrame frame() const override { return frame_; }

 private:
  enum class Kind : uint8_t { kLetter, kBlank, kPunctuation, kDropped };
  struct AsciiEntry {
    Kind kind;
    char out;
  };

  void append_words(std::string_view text, std::vector<int32_t>& ids) const;
  void append_pieces(std::string_view word, std::vector<int32_t>& ids) const;
  void fill_ascii();

  WordPieceOptions options_;
  int64_t vocabulary_size_ = 0;
  std::string sha256_;
  PieceTrie trie_;
  PieceTrie::Node continuation_ = PieceTrie::kRoot;  // below "##"
  bool has_continuation_ = false;
  int32_t unknown_ = -1;
  RowFrame frame_;
  SpecialTokens specials_;
  std::array<AsciiEntry, 128> ascii_;
};

// From vocab.txt and, where it is there, tokenizer_config.json. Throws a user error.
std::unique_ptr<Tokenizer> load_wordpiece(const std::filesystem::path& folder);

}  // namespace kdbench
