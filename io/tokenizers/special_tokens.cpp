// SPDX-License-Identifier: MIT
#include "io/tokenizers/special_tokens.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace kdbench {
namespace {

// Reads the character at `i`, which moves behind it.
bool blank_at(std::string_view text, int64_t& i) {
  UChar32 c = 0;
  U8_NEXT(text.data(), i, static_cast<int64_t>(text.size()), c);
  return c >= 0 && u_isUWhiteSpace(c);
}

std::string_view without_blank_end(std::string_view text) {
  int64_t end = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(text.size());) {
    if (!blank_at(text, i)) end = i;
  }
  return text.substr(0, static_cast<size_t>(end));
}

size_t length_of_blanks(std::string_view text) {
  int64_t end = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(text.size()) && blank_at(text, i);) end = i;
  return static_cast<size_t>(end);
}

}  // namespace

SpecialTokens::SpecialTokens(std::vector<SpecialToken> tokens) : tokens_(std::move(tokens)) {
  for (const auto& token : tokens_) {
    if (starts_.find(token.text[0]) == std::string::npos) starts_ += token.text[0];
  }
  std::stable_sort(
      tokens_.begin(), tokens_.end(),
      [](const SpecialToken& a, const SpecialToken& b) { return a.text.size() > b.text.size(); });
}

const SpecialToken* SpecialTokens::at_begin(std::string_view rest) const {
  for (const auto& token : tokens_) {
    if (rest.starts_with(token.text)) return &token;
  }
  return nullptr;
}

void SpecialTokens::split(std::string_view text, const std::function<void(std::string_view)>& words,
                          const std::function<void(int32_t)>& special) const {
  const auto between = [&](std::string_view part) {
    if (!part.empty()) words(part);
  };
  size_t from = 0;
  for (size_t i = text.find_first_of(starts_); i != std::string_view::npos;
       i = text.find_first_of(starts_, i)) {
    const SpecialToken* token = at_begin(text.substr(i));
    if (!token) {
      ++i;
      continue;
    }
    const std::string_view part = text.substr(from, i - from);
    between(token->strips_left ? without_blank_end(part) : part);
    special(token->id);
    i += token->text.size();
    if (token->strips_right) i += length_of_blanks(text.substr(i));
    from = i;
  }
  between(text.substr(from));
}

}  // namespace kdbench
