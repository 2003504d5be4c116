// SPDX-License-Identifier: MIT
// The pattern as a scanner: Unicode's classes from ICU, those of ASCII from a table.
#include "io/tokenizers/byte_level.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cstdint>

namespace kdbench {
namespace {

constexpr int kBytes = 256;

// Bytes that are printable characters of Latin-1 stand for themselves, the others follow from
// U+0100 on in their order.
constexpr bool stands_for_itself(int byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Alphabet {
  std::array<UChar32, kBytes> symbols;    // of each byte
  std::array<int16_t, 2 * kBytes> bytes;  // of each symbol, or -1
};

constexpr Alphabet make_alphabet() {
  Alphabet alphabet{};
  for (auto& byte : alphabet.bytes) byte = -1;
  UChar32 next = kBytes;
  for (int byte = 0; byte < kBytes; ++byte) {
    const UChar32 symbol = stands_for_itself(byte) ? byte : next++;
    alphabet.symbols[static_cast<size_t>(byte)] = symbol;
    alphabet.bytes[static_cast<size_t>(symbol)] = static_cast<int16_t>(byte);
  }
  return alphabet;
}
constexpr Alphabet kAlphabet = make_alphabet();

enum class Kind : uint8_t { kBlank, kLetter, kNumber, kOther };

Kind kind_of(UChar32 c) {
  if (c < 0) return Kind::kOther;
  if (u_isUWhiteSpace(c)) return Kind::kBlank;
  const uint32_t category = U_GET_GC_MASK(c);
  if ((category & U_GC_L_MASK) != 0) return Kind::kLetter;
  return (category & U_GC_N_MASK) != 0 ? Kind::kNumber : Kind::kOther;
}

const std::array<Kind, 128>& ascii_kinds() {
  static const std::array<Kind, 128> kinds = [] {
    std::array<Kind, 128> table{};
    for (int c = 0; c < 128; ++c) table[static_cast<size_t>(c)] = kind_of(c);
    return table;
  }();
  return kinds;
}

struct Character {
  Kind kind;
  size_t end;  // in the text
};

Character character_at(std::string_view text, size_t begin) {
  const auto byte = static_cast<unsigned char>(text[begin]);
  if (byte < 0x80) return {ascii_kinds()[byte], begin + 1};
  auto end = static_cast<int64_t>(begin);
  UChar32 c = 0;
  U8_NEXT(text.data(), end, static_cast<int64_t>(text.size()), c);
  return {kind_of(c), static_cast<size_t>(end)};
}

// 's 't 're 've 'm 'll 'd at the begin of the text; 0 if there is none.
size_t contraction_length(std::string_view text) {
  if (text[0] != '\'') return 0;
  for (const std::string_view end : {"s", "t", "re", "ve", "m", "ll", "d"}) {
    if (text.substr(1).starts_with(end)) return 1 + end.size();
  }
  return 0;
}

// Blanks leave their last one to the word that follows.
size_t blanks_length(std::string_view text) {
  size_t last = 0, end = 0;
  while (end < text.size()) {
    const Character c = character_at(text, end);
    if (c.kind != Kind::kBlank) return last == 0 ? end : last;
    last = end;
    end = c.end;
  }
  return end;
}

size_t word_length(std::string_view text) {
  if (const size_t length = contraction_length(text)) return length;
  const bool after_space = text[0] == ' ' && text.size() > 1;
  const Character first = character_at(text, after_space ? 1 : 0);
  if (first.kind == Kind::kBlank) return blanks_length(text);
  size_t end = first.end;
  while (end < text.size()) {
    const Character next = character_at(text, end);
    if (next.kind != first.kind) break;
    end = next.end;
  }
  return end;
}

}  // namespace

std::optional<std::string> bytes_of_symbols(std::string_view symbols) {
  std::string bytes;
  const auto size = static_cast<int64_t>(symbols.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(symbols.data(), i, size, c);
    if (c < 0 || c >= 2 * kBytes) return std::nullopt;
    const int16_t byte = kAlphabet.bytes[static_cast<size_t>(c)];
    if (byte < 0) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  return bytes;
}

std::string symbol_of_byte(unsigned char byte) {
  std::array<char, U8_MAX_LENGTH> bytes;
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes.data(), size, kAlphabet.symbols[byte]);
  return {bytes.data(), static_cast<size_t>(size)};
}

std::string_view take_word(std::string_view& text) {
  const std::string_view word = text.substr(0, word_length(text));
  text.remove_prefix(word.size());
  return word;
}

}  // namespace kdbench
