// SPDX-License-Identifier: MIT
// Special tokens that stand literally in a text: found in the raw bytes, before any normalisation,
// the longest at each place.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace kdbench {

struct SpecialToken {
  std::string text;  // not empty
  int32_t id = -1;
  bool strips_left = false, strips_right = false;  // takes the blanks beside it along
};

class SpecialTokens {
 public:
  SpecialTokens() = default;
  explicit SpecialTokens(std::vector<SpecialToken> tokens);

  // Cuts `text`: `words` gets what lies between special tokens (never empty), `special` each id, in
  // the order of the text.
  void split(std::string_view text, const std::function<void(std::string_view)>& words,
             const std::function<void(int32_t)>& special) const;

 private:
  const SpecialToken* at_begin(std::string_view rest) const;

  std::vector<SpecialToken> tokens_;  // longest first
  std::string starts_;                // their first bytes
};

}  // namespace kdbench
