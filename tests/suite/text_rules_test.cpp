// SPDX-License-Identifier: MIT
// d-lite's rules by counting over many draws, and in cases that leave no choice.
#include "suite/transfer/text_rules.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <sstream>

#include "suite/transfer/text_draws.h"

namespace kdbench::text_rules_test {
namespace {

using ::testing::HasSubstr;

std::string verb(int i) { return fmt::format("v{}", i); }

// A tag with words n0 (once), n1 (three times), and one with v0 .. v9.
TagCounts counts() {
  TagCounts counts{{{"N", "n0"}, 1}, {{"N", "n1"}, 3}};
  for (int i = 0; i < 10; ++i) counts[{"V", verb(i)}] = 1;
  return counts;
}

std::vector<std::string> split(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// Whether `count` of `n` is what a probability of `p` gives: within 4.5 standard deviations.
void expect_share(int64_t count, int64_t n, double p, const std::string& what) {
  const double mean = static_cast<double>(n) * p, deviation = std::sqrt(mean * (1 - p));
  EXPECT_NEAR(static_cast<double>(count), mean, 4.5 * deviation) << what << " of " << n;
}

class TextRulesTest : public ::testing::Test {
 protected:
  std::vector<int32_t> numbers(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::vector<int32_t> words;
    for (const auto& [tag, word] : pairs) words.push_back(dictionary_.number(tag, word));
    return words;
  }
  std::vector<int32_t> verbs(int n) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (int i = 0; i < n; ++i) pairs.emplace_back("V", verb(i));
    return numbers(pairs);
  }

  const PosDictionary dictionary_{counts()};
};

TEST(TextDraws, AProductsHighHalf) {
  EXPECT_EQ(below(~uint64_t{0}, 7), 6u);
  EXPECT_EQ(below(uint64_t{0}, 7), 0u);
  EXPECT_EQ(below(uint64_t{1} << 63, 10), 5u);
  EXPECT_EQ(below((uint64_t{1} << 63) - 1, 10), 4u);
  EXPECT_EQ(below(~uint64_t{0}, ~uint64_t{0}), ~uint64_t{0} - 1);
  EXPECT_EQ(below(~uint32_t{0}, 5), 4u);
}

TEST_F(TextRulesTest, ADrawGivesATagsWordsAsOftenAsTheyOccur) {
  const int32_t n0 = dictionary_.number("N", "n0"), n1 = dictionary_.number("N", "n1");
  // Four occurrences: the first quarter of the numbers is n0.
  EXPECT_EQ(dictionary_.draw(n1, 0), n0);
  EXPECT_EQ(dictionary_.draw(n1, (uint64_t{1} << 62) - 1), n0);
  EXPECT_EQ(dictionary_.draw(n1, uint64_t{1} << 62), n1);
  EXPECT_EQ(dictionary_.draw(n0, ~uint64_t{0}), n1);
  const int32_t v3 = dictionary_.number("V", "v3");
  EXPECT_EQ(dictionary_.word(dictionary_.draw(v3, 0)), "v0");
  EXPECT_EQ(dictionary_.word(dictionary_.draw(v3, ~uint64_t{0})), "v9");
  EXPECT_EQ(dictionary_.tags(), 2);
  EXPECT_EQ(dictionary_.size(), 12);
}

TEST_F(TextRulesTest, WordsAreMaskedAndReplacedAsOftenAsAsked) {
  const TextRules rules{.mask_prob = 0.1, .random_prob = 0.2, .window_prob = 0, .seed = 3};
  TextVariations variations(rules, dictionary_);
  const auto words = numbers({{"N", "n1"}, {"V", "v0"}, {"V", "v5"}, {"N", "n0"}});
  int64_t masked = 0, n1_to_n0 = 0, v0_to_others = 0, rows = 0, all_replaced = 0;
  std::map<std::string, int64_t> instead_of_v0;
  std::string text;
  constexpr int64_t kRows = 20000;
  for (int64_t row = 0; row < kRows; ++row) {
    if (variations.single(words, row, row % 3, text) == Variation::kAllReplaced) {
      ++all_replaced;
      continue;
    }
    ++rows;
    const auto made = split(text);
    ASSERT_EQ(made.size(), 4u);
    for (const auto& word : made) masked += word == "[MASK]";
    n1_to_n0 += made[0] == "n0";
    v0_to_others += made[1] != "v0" && made[1] != "[MASK]";
    ++instead_of_v0[made[1]];
  }
  // All four words are replaced with probability 0.3^4; of the others one word's rate is
  // conditional.
  constexpr double kNone = 0.3 * 0.3 * 0.3 * 0.3;
  const auto conditional = [&](double p) { return p * (1 - 0.027) / (1 - kNone); };
  expect_share(all_replaced, kRows, kNone, "with no word left");
  expect_share(masked, 4 * rows, conditional(0.1), "masked words");
  expect_share(n1_to_n0, rows, conditional(0.2 / 4), "n1 that became n0");
  expect_share(v0_to_others, rows, conditional(0.2 * 9 / 10), "v0 that became another");
  for (int i = 1; i < 10; ++i)
    expect_share(instead_of_v0[verb(i)], rows, conditional(0.02), "each of them");
  EXPECT_EQ(instead_of_v0.size(), 11u);  // itself, nine others, [MASK]; never a word with a tag N
}

TEST_F(TextRulesTest, WindowsAreOfAllLengthsAndPlaces) {
  TextRules rules{.mask_prob = 0, .random_prob = 0, .window_prob = 0.25, .window_lengths = {2, 4}};
  const auto words = verbs(6);
  std::map<std::string, int64_t> seen;
  std::string text;
  TextVariations variations(rules, dictionary_);
  constexpr int64_t kRows = 40000;
  for (int64_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(variations.single(words, row, 1, text), Variation::kText);
    ++seen[text];
  }
  expect_share(seen["v0 v1 v2 v3 v4 v5"], kRows, 0.75, "whole texts");
  for (const char* two : {"v0 v1", "v1 v2", "v2 v3", "v3 v4", "v4 v5"})
    expect_share(seen[two], kRows, 0.125 / 5, two);
  for (const char* four : {"v0 v1 v2 v3", "v1 v2 v3 v4", "v2 v3 v4 v5"})
    expect_share(seen[four], kRows, 0.125 / 3, four);
  EXPECT_EQ(seen.size(), 9u);

  rules.window_quirks = true;  // never at the end
  TextVariations quirky(rules, dictionary_);
  seen.clear();
  for (int64_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(quirky.single(words, row, 1, text), Variation::kText);
    ++seen[text];
  }
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(seen.count("v4 v5"), 0u);
  EXPECT_EQ(seen.count("v2 v3 v4 v5"), 0u);
  expect_share(seen["v3 v4"], kRows, 0.125 / 4, "v3 v4");
}

TEST_F(TextRulesTest, ATextNoLongerThanItsWindowStaysWhole) {
  TextRules rules{.mask_prob = 0, .random_prob = 0, .window_prob = 1, .window_lengths = {3}};
  std::string text;
  const auto three = verbs(3), four = verbs(4);
  TextVariations variations(rules, dictionary_);
  EXPECT_EQ(variations.single(three, 0, 0, text), Variation::kText);
  EXPECT_EQ(text, "v0 v1 v2");
  rules.window_quirks = true;
  TextVariations quirky(rules, dictionary_);
  EXPECT_EQ(quirky.single(three, 0, 0, text), Variation::kEnded);
  EXPECT_EQ(quirky.single(four, 0, 0, text), Variation::kText);
  EXPECT_EQ(text, "v0 v1 v2");  // its only place
  quirky.pair(three, three, 0, 0, text);
  EXPECT_EQ(text, "v0 v1 v2\tv0 v1 v2");
}

TEST_F(TextRulesTest, ASingleTextWithNoWordLeftIsNotMade) {
  TextVariations masked({.mask_prob = 1, .random_prob = 0}, dictionary_);
  TextVariations replaced({.mask_prob = 0, .random_prob = 1}, dictionary_);
  std::string text;
  const auto words = verbs(5);
  for (int64_t row = 0; row < 50; ++row) {
    EXPECT_EQ(masked.single(words, row, 0, text), Variation::kAllReplaced);
    EXPECT_EQ(replaced.single(words, row, 0, text), Variation::kAllReplaced);
  }
  TextVariations none({.mask_prob = 0, .random_prob = 0}, dictionary_);
  EXPECT_EQ(none.single({}, 0, 0, text), Variation::kAllReplaced);
  // A pair has no such rule.
  TextVariations pairs({.mask_prob = 1, .random_prob = 0, .window_prob = 0, .single_only_prob = 0},
                       dictionary_);
  EXPECT_EQ(pairs.pair(words, verbs(2), 0, 0, text), Variation::kBoth);
  EXPECT_EQ(text, "[MASK] [MASK] [MASK] [MASK] [MASK]\t[MASK] [MASK]");
}

TEST_F(TextRulesTest, AThirdOfPairsVariesInAInBAndInBoth) {
  TextVariations variations({.mask_prob = 1, .random_prob = 0, .window_prob = 0}, dictionary_);
  const auto a = verbs(2), b = numbers({{"N", "n0"}});
  std::map<Variation, int64_t> seen;
  std::string text;
  constexpr int64_t kRows = 30000;
  for (int64_t row = 0; row < kRows; ++row) {
    const Variation made = variations.pair(a, b, row, 2, text);
    ++seen[made];
    // What does not vary stands there as it is.
    const char* side_a = made == Variation::kOnlyB ? "v0 v1" : "[MASK] [MASK]";
    const char* side_b = made == Variation::kOnlyA ? "n0" : "[MASK]";
    ASSERT_EQ(text, fmt::format("{}\t{}", side_a, side_b));
  }
  for (const Variation sides : {Variation::kOnlyA, Variation::kOnlyB, Variation::kBoth})
    expect_share(seen[sides], kRows, 1.0 / 3, "sides");
  EXPECT_EQ(variations.pair(a, {}, 0, 0, text), Variation::kBlank);
  EXPECT_EQ(variations.pair({}, b, 0, 0, text), Variation::kBlank);
}

TEST_F(TextRulesTest, BothSidesOfAPairDrawForThemselves) {
  TextVariations variations(
      {.mask_prob = 0.5, .random_prob = 0, .window_prob = 0.5, .single_only_prob = 0}, dictionary_);
  const auto words = verbs(8);
  std::string text;
  int64_t same = 0;
  for (int64_t row = 0; row < 1000; ++row) {
    variations.pair(words, words, row, 0, text);
    const size_t tab = text.find('\t');
    same += text.substr(0, tab) == text.substr(tab + 1);
  }
  EXPECT_LT(same, 50);
}

TEST_F(TextRulesTest, AVariationDependsOnSeedRowAndIterationAlone) {
  TextVariations one({.seed = 1}, dictionary_), other({.seed = 1}, dictionary_),
      two({.seed = 2}, dictionary_);
  const auto words = verbs(9);
  std::string text, again;
  int64_t differ = 0;
  for (int64_t row = 30; row >= 0; --row) other.single(words, row, 7, again);
  for (int64_t row = 0; row < 200; ++row) {
    one.single(words, row, 7, text);
    other.single(words, row, 7, again);
    EXPECT_EQ(text, again);
    two.single(words, row, 7, again);
    differ += text != again;
  }
  EXPECT_GT(differ, 150);
}

TEST(TextRulesCheck, AllThatDoesNotFitIsNamed) {
  const auto problems = [](const TextRules& rules, bool pair) {
    Problems found;
    check_text_rules(rules, pair, found);
    std::string text;
    for (const auto& line : found.lines()) text += line + "\n";
    return text;
  };
  EXPECT_EQ(problems({}, true), "");
  EXPECT_EQ(problems({}, false), "");
  const auto several = problems({.mask_prob = 1.5,
                                 .random_prob = NAN,
                                 .window_prob = -1,
                                 .window_lengths = {3, 0},
                                 .n_iter = -2},
                                true);
  for (const char* part :
       {"--mask-prob", "--random-prob", "--window-prob", "--window-lengths", "--n-iter"})
    EXPECT_THAT(several, HasSubstr(part));
  EXPECT_THAT(problems({.mask_prob = 0.6, .random_prob = 0.6}, true), HasSubstr("more than 1"));
  EXPECT_THAT(problems({.mask_prob = 0, .random_prob = 0, .window_prob = 0}, true),
              HasSubstr("nothing would vary"));
  EXPECT_THAT(problems({.mask_prob = 0.5, .random_prob = 0.5}, false), HasSubstr("no word left"));
  EXPECT_THAT(problems({.window_lengths = {}}, true), HasSubstr("--window-lengths"));
  EXPECT_THAT(problems({.single_only_prob = 0.5}, false), HasSubstr("is of pairs"));
}

TEST(FrequencyClass, IsTheKindAndThePowerOfTwo) {
  EXPECT_EQ(frequency_class("film", 1), "word1");
  EXPECT_EQ(frequency_class("film", 7), "word3");
  EXPECT_EQ(frequency_class("film", 8), "word4");
  EXPECT_EQ(frequency_class("3,400", 2), "number2");
  EXPECT_EQ(frequency_class("3rd", 2), "word2");
  EXPECT_EQ(frequency_class(",", 2), "mark2");
}

}  // namespace
}  // namespace kdbench::text_rules_test
