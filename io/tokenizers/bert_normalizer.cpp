// SPDX-License-Identifier: MIT
#include "io/tokenizers/bert_normalizer.h"

#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>
#include <unicode/uversion.h>

#include <array>
#include <utility>

#include "io/base/error.h"

namespace kdbench {
namespace {

constexpr UChar32 kReplacement = 0xFFFD;
constexpr UChar32 kCapitalIWithDot = 0x130;

void append(std::string& text, UChar32 c) {
  std::array<char, U8_MAX_LENGTH> bytes;
  int32_t size = 0;
  U8_APPEND_UNSAFE(bytes.data(), size, c);
  text.append(bytes.data(), static_cast<size_t>(size));
}

// Calls f(code point); bytes that are not UTF-8 come as U+FFFD.
template <typename F>
void for_each_code_point(std::string_view text, F&& f) {
  const auto size = static_cast<int64_t>(text.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT_OR_FFFD(text.data(), i, size, c);
    f(c);
  }
}

// The bit of the general category, or 0.
uint32_t category(UChar32 c) {
  constexpr uint8_t kReferenceUnicode = 8;
  UVersionInfo age;
  u_charAge(c, age);
  return age[0] > kReferenceUnicode ? 0 : U_GET_GC_MASK(c);
}

bool is_blank(UChar32 c) { return u_isUWhiteSpace(c); }

bool is_dropped(UChar32 c) {
  if (c == '\t' || c == '\n' || c == '\r') return false;
  constexpr uint32_t kOther = U_GC_CC_MASK | U_GC_CF_MASK | U_GC_CO_MASK | U_GC_CS_MASK;
  return c == kReplacement || (category(c) & kOther) != 0;
}

// The reference's ranges. Its extension E begins at 2B920, 256 after the block; the ids should be
// the same, so it does here.
bool is_ideograph(UChar32 c) {
  constexpr std::array<std::pair<UChar32, UChar32>, 8> kRanges{{{0x4E00, 0x9FFF},
                                                                {0x3400, 0x4DBF},
                                                                {0x20000, 0x2A6DF},
                                                                {0x2A700, 0x2B73F},
                                                                {0x2B740, 0x2B81F},
                                                                {0x2B920, 0x2CEAF},
                                                                {0xF900, 0xFAFF},
                                                                {0x2F800, 0x2FA1F}}};
  for (const auto& [first, last] : kRanges) {
    if (c >= first && c <= last) return true;
  }
  return false;
}

std::string cleaned(std::string_view text, bool space_cjk) {
  std::string result;
  result.reserve(text.size() + text.size() / 2);
  for_each_code_point(text, [&](UChar32 c) {
    if (is_dropped(c)) return;
    if (is_blank(c)) {
      result += ' ';
    } else if (space_cjk && is_ideograph(c)) {
      result += ' ';
      append(result, c);
      result += ' ';
    } else {
      append(result, c);
    }
  });
  return result;
}

std::string decomposed(const std::string& text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  std::string result;
  icu::StringByteSink<std::string> sink(&result, static_cast<int32_t>(text.size()));
  if (U_SUCCESS(status)) nfd->normalizeUTF8(0, text, sink, nullptr, status);
  if (U_FAILURE(status)) throw_machine_error("ICU", u_errorName(status));
  return result;
}

// Per code point, by the full mapping: only U+0130 becomes two.
void append_lower(std::string& text, UChar32 c) {
  append(text, u_tolower(c));
  if (c == kCapitalIWithDot) append(text, 0x307);
}

}  // namespace

bool is_punctuation(int32_t code_point) { return (category(code_point) & U_GC_P_MASK) != 0; }

std::string normalize_bert(std::string_view text, const BertNormalizerOptions& options) {
  std::string clean = cleaned(text, options.space_cjk);
  if (options.strip_accents) clean = decomposed(clean);
  std::string result;
  result.reserve(clean.size());
  for_each_code_point(clean, [&](UChar32 c) {
    if (options.strip_accents && (category(c) & U_GC_MN_MASK) != 0) return;
    if (options.lower_case) {
      append_lower(result, c);
    } else {
      append(result, c);
    }
  });
  return result;
}

}  // namespace kdbench
