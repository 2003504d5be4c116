// SPDX-License-Identifier: MIT
#include "io/words/code_points.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>

#include "io/base/text.h"

namespace kdbench {
namespace {

UChar32 as_icu(char32_t c) { return static_cast<UChar32>(c); }

// Within a sequence, not its first byte.
bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::u32string code_points(std::string_view text) {
  std::u32string letters;
  letters.reserve(text.size());
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), i, size, c);
    letters += static_cast<char32_t>(c);
  }
  return letters;
}

void append_utf8(std::string& text, char32_t c) {
  if (c < 0x80) {
    text += static_cast<char>(c);
    return;
  }
  std::array<char, U8_MAX_LENGTH> bytes;
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes.data(), size, as_icu(c));
  text.append(bytes.data(), static_cast<size_t>(size));
}

bool is_word_character(char32_t c) { return c == '_' || u_isalnum(as_icu(c)); }
bool is_white_space(char32_t c) { return u_isUWhiteSpace(as_icu(c)); }
bool is_digit(char32_t c) { return u_isdigit(as_icu(c)); }

std::string small_letters(std::string_view text) {
  if (is_ascii(text)) return ascii_lower(std::string(text));
  std::string small;
  for (const char32_t c : code_points(text))
    append_utf8(small, static_cast<char32_t>(u_tolower(as_icu(c))));
  return small;
}

std::string_view first_letter(std::string_view word) {
  size_t end = std::min<size_t>(1, word.size());
  while (end < word.size() && continues(word[end])) ++end;
  return word.substr(0, end);
}

std::string_view last_letters(std::string_view word, int count) {
  size_t begin = word.size();
  while (begin > 0 && count > 0) {
    if (!continues(word[--begin])) --count;
  }
  return word.substr(begin);
}

}  // namespace kdbench
