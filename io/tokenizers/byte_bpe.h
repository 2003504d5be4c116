// SPDX-License-Identifier: MIT
// Byte-level BPE as GPT-2 and RoBERTa use it: special tokens of the raw text, words, ranked merges
// of their bytes. Ids equal those of the "tokenizers" library. Most words are entries that the
// merges make as a whole: they are looked up.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/tokenizers/merge_table.h"
#include "io/tokenizers/piece_trie.h"
#include "io/tokenizers/special_tokens.h"
#include "io/tokenizers/tokenizer.h"

namespace kdbench {

// What vocab.json and merges.txt hold.
struct BpeVocabulary {
  struct Merge {
    std::string left, right;
    int64_t line = 0;  // of merges.txt
  };
  std::vector<std::string> tokens;  // in the order of their ids, in the byte-level alphabet
  std::vector<Merge> merges;        // the first goes first
  std::string tokens_file = "vocab.json", merges_file = "merges.txt";  // for messages
};

struct ByteBpeOptions {
  bool add_prefix_space = false;  // a text (also one after a special token) begins with a blank
  std::vector<SpecialToken> specials = {
      {"<s>"}, {"<pad>"}, {"</s>"}, {"<unk>"}, {"<mask>", -1, /*strips_left=*/true}};
  // <s> a </s></s> b </s>. Empty: plain ids only (GPT-2).
  std::string first = "<s>", separator = "</s>";
};

class ByteBpe : public Tokenizer {
 public:
  // Throws a user error that lists merges of unknown tokens and merges that are there twice (with
  // their lines), bytes without a token and missing special tokens.
  ByteBpe(const BpeVocabulary& vocabulary, ByteBpeOptions options);

  int second_segment_type() const override { return 0; }
  int64_t vocabulary_size() const override { return vocabulary_size_; }
  std::string sha256() const override { return sha256_; }
  TextMarks text_marks() const override;
  std::string text_of(std::span<const int32_t> ids) const override;

 protected:
  void append(std::string_view text, std::vector<int32_t>& ids) const override;
  RowFrame frame() const override;

 private:
  void take_merges(const BpeVocabulary& vocabulary);
  void take_whole_words(const BpeVocabulary& vocabulary);
  void append_merged(std::string_view word, Merger& merger, std::vector<int32_t>& ids) const;
  void append_words(std::string_view text, Merger& merger, std::vector<int32_t>& ids) const;

  ByteBpeOptions options_;
  int64_t vocabulary_size_ = 0;
  std::string sha256_;
  std::vector<std::string> bytes_;  // that each id stands for
  int32_t end_ = -1;                // <|endoftext|>
  std::array<int32_t, 256> byte_ids_;
  MergeTable merges_;
  std::optional<PieceTrie> whole_;  // the words that are one token after their merges
  std::vector<int32_t> whole_ids_;
  SpecialTokens specials_;
  RowFrame frame_;
};

struct TokenizerJson;

// From vocab.json and merges.txt, or `json` alone, and what stands beside them. Throws a user
// error.
std::unique_ptr<Tokenizer> load_byte_bpe(const std::filesystem::path& folder,
                                         const std::optional<TokenizerJson>& json);

}  // namespace kdbench
