// SPDX-License-Identifier: MIT
#include "suite/transfer/text_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "suite/transfer/text_draws.h"

namespace kdbench {
namespace {

constexpr int32_t kMask = -1;
constexpr const char* kMaskWord = "[MASK]";

void check_probability(const std::string& place, double value, Problems& problems) {
  if (value >= 0 && value <= 1) return;
  problems.add(place, fmt::format("{} is no probability", value), "a number from 0 to 1");
}

}  // namespace

std::string flag_of(const std::string& key) {
  std::string flag = "--" + key;
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

void check_text_rules(const TextRules& rules, bool pair, Problems& problems, const KeyName& name) {
  const std::string mask = name("mask_prob"), random = name("random_prob"),
                    window = name("window_prob"), lengths = name("window_lengths"),
                    single_only = name("single_only_prob");
  check_probability(mask, rules.mask_prob, problems);
  check_probability(random, rules.random_prob, problems);
  check_probability(window, rules.window_prob, problems);
  check_probability(single_only, rules.single_only_prob, problems);
  if (!pair && rules.single_only_prob != TextRules().single_only_prob)
    problems.add(single_only, "is of pairs, and these rows are single texts");
  if (rules.mask_prob + rules.random_prob > 1)
    problems.add(
        mask + ", " + random,
        fmt::format("together {}, which is more than 1", rules.mask_prob + rules.random_prob),
        "a word is masked, or replaced, or kept");
  if (rules.mask_prob == 0 && rules.random_prob == 0 && rules.window_prob == 0)
    problems.add(mask + ", " + random + ", " + window, "all are 0: nothing would vary");
  if (!pair && rules.mask_prob + rules.random_prob == 1)
    problems.add(mask + ", " + random,
                 "together 1: single texts with no word left are dropped, so there would be none");
  if (rules.window_lengths.empty() && rules.window_prob > 0)
    problems.add(lengths, "how many words does an n-gram have?", "e.g. 1,2,3,4,5");
  for (const int64_t length : rules.window_lengths) {
    if (length < 1)
      problems.add(lengths, fmt::format("an n-gram of {} words", length), "1 or more");
  }
  if (rules.n_iter < 0)
    problems.add(name("n_iter"), fmt::format("{} iterations", rules.n_iter), "1 or more");
  if (rules.seed < 0) problems.add(name("seed"), fmt::format("{} is below 0", rules.seed));
}

std::string text_of(WordNumbers words, const PosDictionary& dictionary) {
  std::string text;
  for (const int32_t word : words)
    text.append(text.empty() ? "" : " ").append(dictionary.word(word));
  return text;
}

TextVariations::TextVariations(const TextRules& rules, const PosDictionary& dictionary)
    : rules_(rules),
      dictionary_(dictionary),
      seed_(derive_seed(static_cast<uint64_t>(rules.seed), "augment")) {}

// Fills `varied_`; how many words are kept as they are.
int64_t TextVariations::replace(WordNumbers words, const TextDraws& draws, int side) {
  const size_t n = words.size();
  draws.words(side, n, numbers_);
  varied_.assign(words.begin(), words.end());
  int64_t kept = 0;
  for (size_t i = 0; i < n; ++i) {
    const double u = unit(numbers_[i]);
    if (u < rules_.mask_prob) {
      varied_[i] = kMask;
    } else if (u < rules_.mask_prob + rules_.random_prob) {
      const uint64_t random = uint64_t{numbers_[n + i]} << 32 | numbers_[2 * n + i];
      varied_[i] = dictionary_.draw(words[i], random);
    } else {
      ++kept;
    }
  }
  return kept;
}

// Draws the part of `words` words that is kept, by default all. False when an n-gram is wanted
// that is not shorter than the text.
bool TextVariations::window(const TextDraws& draws, int side, int64_t words, Window& kept) const {
  kept = {0, words};
  const PhiloxBlock block = draws.block(DrawPlace::kWindow, side);
  if (unit(block[0]) >= rules_.window_prob) return true;
  const auto& lengths = rules_.window_lengths;
  const int64_t length = lengths[below(block[1], lengths.size())];
  if (words <= length) return false;
  const int64_t begins = words - length + (rules_.window_quirks ? 0 : 1);
  kept = {static_cast<int64_t>(below(block[2], static_cast<uint64_t>(begins))), length};
  return true;
}

void TextVariations::append(WordNumbers words, Window kept, std::string& text) const {
  for (int64_t i = kept.begin; i < kept.begin + kept.length; ++i) {
    const int32_t word = words[static_cast<size_t>(i)];
    if (i > kept.begin) text += ' ';
    text += word == kMask ? kMaskWord : dictionary_.word(word);
  }
}

Variation TextVariations::single(WordNumbers words, int64_t row, int64_t iteration,
                                 std::string& text) {
  const TextDraws draws(seed_, row, iteration);
  Window kept;
  const bool fits = window(draws, 0, static_cast<int64_t>(words.size()), kept);
  if (!fits && rules_.window_quirks) return Variation::kEnded;
  if (replace(words, draws, 0) == 0) return Variation::kAllReplaced;
  text.clear();
  append(varied_, kept, text);
  return Variation::kText;
}

Variation TextVariations::pair(WordNumbers a, WordNumbers b, int64_t row, int64_t iteration,
                               std::string& text) {
  if (a.empty() || b.empty()) return Variation::kBlank;
  const TextDraws draws(seed_, row, iteration);
  const PhiloxBlock sides = draws.block(DrawPlace::kSides);
  const bool first = unit(sides[0]) < 0.5;
  const bool both = unit(sides[1]) > rules_.single_only_prob;
  text.clear();
  for (int side = 0; side < 2; ++side) {
    const WordNumbers words = side == 0 ? a : b;
    if (side == 1) text += '\t';
    Window kept{0, static_cast<int64_t>(words.size())};
    if (both || first == (side == 0)) {
      replace(words, draws, side);
      window(draws, side, kept.length, kept);
      append(varied_, kept, text);
    } else {
      append(words, kept, text);
    }
  }
  return both ? Variation::kBoth : first ? Variation::kOnlyA : Variation::kOnlyB;
}

}  // namespace kdbench
