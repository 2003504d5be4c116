// SPDX-License-Identifier: MIT
// Text to token ids. Implementations: WordPiece (wordpiece.h); byte-level BPE joins with the
// language models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace kdbench {

// One row ready for a model: ids with special tokens; the first `first_segment` of them have type
// 0, the rest 1.
struct Encoding {
  std::vector<int32_t> ids;
  int32_t first_segment = 0;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Plain ids, no special tokens. Thread-safe: preparation calls it from several threads.
  virtual std::vector<int32_t> encode(std::string_view text) const = 0;
  // Adds the special tokens and truncates to `max_length` ids (the "longest first" rule of fast
  // tokenizers: budget = max_length - specials; if both sides are longer than their half, a
  // shorter-or-equal side keeps floor(budget/2) and the other the rest; else only the longer side
  // is cut). `b` is null for one sentence.
  virtual Encoding encode_row(std::string_view a, const std::string_view* b,
                              int max_length) const = 0;
  // 1 for token types of this model family's second segment, 0 where types are all 0 (RoBERTa).
  virtual int second_segment_type() const = 0;
  virtual int64_t vocabulary_size() const = 0;
  // Of everything that changes ids: vocabulary, options, the version of this implementation.
  virtual std::string sha256() const = 0;
};

// Splits a budget over two lengths by the rule above; returns how many ids each side keeps.
std::pair<size_t, size_t> truncate_longest_first(size_t a, size_t b, size_t budget);

// From a Hugging Face folder: vocab.txt (+ tokenizer_config.json). Throws a user error that says
// what is missing.
std::unique_ptr<Tokenizer> load_tokenizer(const std::filesystem::path& folder);

}  // namespace kdbench
