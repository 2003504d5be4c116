// SPDX-License-Identifier: MIT
#include "io/tokenizers/bert_words.h"

#include <unicode/utf8.h>

#include <cctype>
#include <cstring>
#include <string>

#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr size_t kMaxWordCharacters = 100;

// A word under construction; keeps no more than what may be seen of it.
class Word {
 public:
  void add(const char* bytes, size_t count) {
    if (++characters_ > kMaxWordCharacters) return;
    std::memcpy(bytes_.data() + size_, bytes, count);
    size_ += count;
  }
  bool empty() const { return characters_ == 0; }
  // Empty when it is too long.
  std::string_view view() const {
    return {bytes_.data(), characters_ > kMaxWordCharacters ? 0 : size_};
  }
  void clear() { size_ = characters_ = 0; }

 private:
  std::array<char, kMaxWordCharacters * U8_MAX_LENGTH> bytes_;
  size_t size_ = 0, characters_ = 0;
};

}  // namespace

BertWords::BertWords(BertNormalizerOptions options) : options_(options) {
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
      if (options_.lower_case && c >= 'A' && c <= 'Z') entry.out = static_cast<char>(c - 'A' + 'a');
    }
  }
}

void BertWords::split(std::string_view text,
                      const std::function<void(std::string_view)>& word_found) const {
  std::string normalized;
  if (!is_ascii(text)) {
    normalized = normalize_bert(text, options_);
    text = normalized;
  }
  Word word;
  const auto finish = [&] {
    if (word.empty()) return;
    word_found(word.view());
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

}  // namespace kdbench
