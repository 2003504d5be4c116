// SPDX-License-Identifier: MIT
// d-lite's rules (Tang et al. 2019, section 3.2; castorini/d-bert, augment_data and
// augment_paired_data): words are masked, or replaced by others of the same part of speech, and
// of the result an n-gram is kept. The programs draw from one stream; here every number is keyed
// by row, iteration and place, so that any rank makes any row.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "io/base/error.h"
#include "suite/transfer/pos_dictionary.h"

namespace kdbench {

struct TextRules {
  double mask_prob = 0.1;     // of a word: becomes [MASK]
  double random_prob = 0.1;   // of a word: becomes one with its tag
  double window_prob = 0.25;  // of a text: an n-gram of it is kept
  std::vector<int64_t> window_lengths{1, 2, 3, 4, 5};
  double single_only_prob = 2.0 / 3;  // of a pair: only one side varies
  int64_t n_iter = 0;                 // of a row; 0: 20, of a pair 10
  // As the original programs: no n-gram is a text's last, and a single text that is not longer
  // than its n-gram has no further iterations.
  bool window_quirks = false;
  int64_t seed = 0;

  int64_t iterations(bool pair) const { return n_iter > 0 ? n_iter : pair ? 10 : 20; }
};

// What messages call a key ("mask_prob").
using KeyName = std::function<std::string(const std::string&)>;
std::string flag_of(const std::string& key);  // "--mask-prob"

// Adds what does not fit, each by the name of its key.
void check_text_rules(const TextRules& rules, bool pair, Problems& problems,
                      const KeyName& name = flag_of);

// What came of one iteration.
enum class Variation {
  kText,   // a single text
  kOnlyA,  // a pair, by the sides that were varied
  kOnlyB,
  kBoth,
  kAllReplaced,  // no word of a single text is left: nothing is made
  kBlank,        // a side of a pair has no words: nothing is made
  kEnded         // as kText too short for its n-gram, with quirks: no further iterations
};
inline constexpr size_t kVariations = 7;

// Words of a text, by their numbers in the dictionary.
using WordNumbers = std::span<const int32_t>;

class TextVariations {
 public:
  TextVariations(const TextRules& rules, const PosDictionary& dictionary);

  // Writes to `text`; it is complete for kText. Local.
  Variation single(WordNumbers words, int64_t row, int64_t iteration, std::string& text);
  // "a TAB b"; complete for kOnlyA, kOnlyB, kBoth. Local.
  Variation pair(WordNumbers a, WordNumbers b, int64_t row, int64_t iteration, std::string& text);

 private:
  struct Window {
    int64_t begin = 0, length = 0;
  };

  int64_t replace(WordNumbers words, const class TextDraws& draws, int side);
  bool window(const class TextDraws& draws, int side, int64_t words, Window& kept) const;
  void append(WordNumbers words, Window kept, std::string& text) const;

  const TextRules rules_;
  const PosDictionary& dictionary_;
  const uint64_t seed_;
  std::vector<uint32_t> numbers_;
  std::vector<int32_t> varied_;  // kMask or a number of the dictionary
};

// The words with single spaces between them.
std::string text_of(WordNumbers words, const PosDictionary& dictionary);

}  // namespace kdbench
