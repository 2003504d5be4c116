// SPDX-License-Identifier: MIT
// Text to token ids. Implementations: WordPiece (wordpiece.h), byte-level BPE (byte_bpe.h), whole
// words (word_vocabulary.h).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kdbench {

// One row ready for a model: ids with special tokens; the first `first_segment` of them have type
// 0 (apart: are those of the first text), the rest 1.
struct Encoding {
  std::vector<int32_t> ids;
  int32_t first_segment = 0;
};

// How a pair becomes a row: joined for a model that reads both at once, or apart, each text with
// special tokens of its own, for one that reads them one after the other. Text: any row as a
// language model reads it (Tokenizer::encode_text).
enum class RowLayout { kJoined, kApart, kText };

// The special tokens around a row: first a separator, or
// first a separator (`between` times) b separator.
struct RowFrame {
  int32_t first = -1, separator = -1;
  int between = 1;
};

// What a language model's texts end with, and what parts the two texts of a pair in them.
struct TextMarks {
  int32_t end = -1;
  int32_t between = -1;  // -1: a tab, as text
};

// What a masked language model's texts are masked with.
struct MaskMarks {
  int32_t mask = -1;
  std::string text;               // that stands for it in a text
  std::vector<int32_t> specials;  // the ids that stand for no text, it among them

  bool is_special(int32_t id) const {
    return std::find(specials.begin(), specials.end(), id) != specials.end();
  }
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Plain ids, no special tokens. Thread-safe: preparation calls it from several threads.
  std::vector<int32_t> encode(std::string_view text) const;
  // Adds the special tokens and truncates to `max_length` ids (the "longest first" rule of fast
  // tokenizers: budget = max_length - specials; if both sides are longer than their half, a
  // shorter-or-equal side keeps floor(budget/2) and the other the rest; else only the longer side
  // is cut). `b` is null for one sentence. Throws a user error when there is no room for the
  // special tokens.
  Encoding encode_row(std::string_view a, const std::string_view* b, int max_length) const;
  // Each text by itself, cut to `max_length` ids with its special tokens; never without a token.
  // The ids of a stand before those of b.
  Encoding encode_apart(std::string_view a, const std::string_view* b, int max_length) const;
  // What a language model reads of a row: its text, or a pair's with the mark between them, the end
  // mark behind, cut to `max_length` ids. first_segment counts the ids up to the mark between, that
  // included; of one text all. `cut`, from 0 to 1: where the text is cut in two that are encoded
  // apart (d-heavy's split_encode), so that a model also sees words begin and end in places where
  // they do not otherwise; none where marks part the texts.
  Encoding encode_text(std::string_view a, const std::string_view* b, int max_length,
                       std::optional<double> cut = std::nullopt) const;
  // Of such texts. Throws a user error where the vocabulary has none.
  virtual TextMarks text_marks() const;
  // Of rows (encode_row). Throws a user error where the vocabulary has no mask.
  virtual MaskMarks mask_marks() const;
  // The text that ids stand for, without marks. What does not have to be UTF-8: ids may stand for a
  // part of a character.
  virtual std::string text_of(std::span<const int32_t> ids) const;
  // 1 for token types of this model family's second segment, 0 where types are all 0 (RoBERTa).
  virtual int second_segment_type() const = 0;
  virtual int64_t vocabulary_size() const = 0;
  // Of everything that changes ids: vocabulary, options, the version of this implementation.
  virtual std::string sha256() const = 0;
  // The tokens by id, where each is a whole word; null: they are pieces.
  virtual const std::vector<std::string>* words() const { return nullptr; }
  // What its user should know of how the folder was read, a line each.
  const std::vector<std::string>& notes() const { return notes_; }
  void add_note(std::string line) { notes_.push_back(std::move(line)); }

 protected:
  // Plain ids at the end of `ids`. Thread-safe.
  virtual void append(std::string_view text, std::vector<int32_t>& ids) const = 0;
  // A text that stands alone, at the end of `ids`. Thread-safe.
  virtual void append_alone(std::string_view text, int max_length, std::vector<int32_t>& ids) const;
  // Throws a user error when the vocabulary has none.
  virtual RowFrame frame() const = 0;

 private:
  int32_t ids_before(const std::vector<int32_t>& ids, size_t bytes) const;

  std::vector<std::string> notes_;
};

// The files of a folder that decide a tokenizer's ids.
inline constexpr std::array kTokenizerFiles{"vocab.txt",
                                            "vocab.json",
                                            "merges.txt",
                                            "added_tokens.json",
                                            "tokenizer.json",
                                            "tokenizer_config.json",
                                            "special_tokens_map.json"};

// Splits a budget over two lengths by the rule above; returns how many ids each side keeps.
std::pair<size_t, size_t> truncate_longest_first(size_t a, size_t b, size_t budget);

// From a Hugging Face folder: vocab.txt (WordPiece, or whole words), vocab.json and merges.txt
// (byte-level BPE), or tokenizer.json alone (either), with tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and, beside another vocabulary, tokenizer.json where
// they are there: what they say is honoured or refused by name, and they must agree. Read once per
// process, while the files stay as they are. Throws a user error that says what is missing.
// Thread-safe.
std::shared_ptr<const Tokenizer> load_tokenizer(const std::filesystem::path& folder);
// The same, read anew each time.
std::unique_ptr<Tokenizer> read_tokenizer(const std::filesystem::path& folder);

}  // namespace kdbench
