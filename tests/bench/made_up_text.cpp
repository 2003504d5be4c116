// SPDX-License-Identifier: MIT
#include "tests/bench/made_up_text.h"

#include <array>
#include <cmath>
#include <random>
#include <set>
#include <string_view>

#include "io/tokenizers/byte_level.h"
#include "io/tokenizers/merge_table.h"

namespace kdbench {
namespace {

constexpr size_t kVocabulary = 30522;
constexpr size_t kWords = 60000;

// Words a sentence, at the quantiles (i + 1/2) / 16 of MNLI's training rows.
constexpr std::array<int, 16> kPremiseWords{3,  6,  8,  9,  11, 13, 14, 16,
                                            18, 20, 22, 25, 28, 32, 37, 50};
constexpr std::array<int, 16> kHypothesisWords{4,  5,  6,  7,  7,  8,  9,  9,
                                               10, 10, 11, 12, 13, 14, 15, 19};

// The most frequent words, in this order.
constexpr std::string_view kCommon =
    "the to of and a that in is it you i was for on are with as not have they but be this at he we "
    "or by his from can do there an so their about what all one had if would were has know like no "
    "more people who which when will out them just well up its some into other than been my get "
    "how our time because only could many really your very also her she think two now may any new "
    "most good then such first even don't it's that's can't right year work because much should";

constexpr std::string_view kFirst[] = {"b", "c", "d", "f", "g", "h",  "l",  "m",  "n",  "p",
                                       "r", "s", "t", "v", "w", "st", "tr", "pr", "ch", ""};
constexpr std::string_view kMiddle[] = {"a", "e", "i", "o", "u", "ea"};
constexpr std::string_view kLast[] = {"", "", "n", "r", "s", "t", "l", "ng"};

class Generator {
 public:
  Generator() {
    for (const auto first : kFirst) {
      for (const auto middle : kMiddle) {
        for (const auto last : kLast) {
          syllables_.insert(std::string(first) + std::string(middle) + std::string(last));
        }
      }
    }
    take_common_words();
    take_made_up_words();
  }

  // Special tokens, letters and syllables, then the most frequent words that fit.
  std::vector<std::string> vocabulary() const {
    std::vector<std::string> entries{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    std::set<std::string> pieces = syllables_;
    for (char c = '!'; c <= '~'; ++c) {
      if (c < 'A' || c > 'Z') pieces.insert(std::string(1, c));
    }
    std::set<std::string> there = pieces;
    for (const auto& piece : pieces) {
      entries.push_back(piece);
      entries.push_back("##" + piece);
    }
    for (const auto& word : words_) {
      if (entries.size() == kVocabulary) break;
      if (there.insert(word).second) entries.push_back(word);
    }
    return entries;
  }

  std::string sentence(int words) {
    std::string text;
    for (int i = 0; i < words; ++i) {
      if (i) text += one_in(14) ? ", " : " ";
      std::string word = next_word();
      if (i == 0 || one_in(12)) word.front() = capital(word.front());
      text += word;
    }
    return text + (one_in(12) ? "?" : ".");
  }

 private:
  void take_common_words() {
    for (size_t begin = 0; begin < kCommon.size();) {
      const size_t end = std::min(kCommon.find(' ', begin), kCommon.size());
      words_.emplace_back(kCommon.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  // Rarer words are longer.
  void take_made_up_words() {
    const std::vector<std::string> syllables(syllables_.begin(), syllables_.end());
    while (words_.size() < kWords) {
      std::string word;
      const size_t length = (words_.size() < 4000 ? 1 : 2) + random_() % 2;
      for (size_t i = 0; i < length; ++i) word += syllables[random_() % syllables.size()];
      words_.push_back(word);
    }
  }

  // Zipf's law over the ranks of the words; a few numbers, and a few letters outside ASCII.
  std::string next_word() {
    if (one_in(60)) return std::to_string(random_() % 2000);
    const double rank = std::pow(static_cast<double>(kWords), uniform_(random_));
    std::string word = words_[static_cast<size_t>(rank) - 1];
    if (one_in(700)) word += "\u00e9";
    return word;
  }

  bool one_in(unsigned n) { return random_() % n == 0; }
  static char capital(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }

  std::mt19937 random_{1};
  std::uniform_real_distribution<double> uniform_;
  std::set<std::string> syllables_;
  std::vector<std::string> words_;  // the most frequent first
};

}  // namespace

MadeUpText make_text(int64_t pairs) {
  Generator generator;
  MadeUpText text;
  text.vocabulary = generator.vocabulary();
  text.pairs.path = "train.tsv";
  for (int64_t row = 0; row < pairs; ++row) {
    const auto i = static_cast<size_t>(row);
    // 7 and 16 have no common divisor: lengths in a mixed order, the two sides independent.
    const int premise = kPremiseWords[i * 7 % 16], hypothesis = kHypothesisWords[i / 16 * 7 % 16];
    text.pairs.rows.push_back(
        {row, generator.sentence(premise), generator.sentence(hypothesis), "neutral"});
  }
  return text;
}

namespace {

// Merges that make a token of each word they are given, the earlier ones as they would have learned
// them: first what is there merges, then what is left over from left to right.
class MadeUpBpe {
 public:
  MadeUpBpe() {
    for (const char* special : {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}) add_token(special);
    for (int byte = 0; byte < 256; ++byte)
      add_token(symbol_of_byte(static_cast<unsigned char>(byte)));
  }

  // `word` in ASCII letters, maybe behind a blank.
  void add_word(const std::string& word) {
    std::vector<int32_t> left;
    for (const char c : word) left.push_back(kFirstByte + static_cast<unsigned char>(c));
    merger_.merge(left, 0);
    for (size_t i = 1; i < left.size(); ++i) {
      const std::string &a = token(left[0]), &b = token(left[i]);
      vocabulary_.merges.push_back({a, b});
      const int32_t id = add_token(a + b);
      table_.add(left[0], left[i], id);
      left[0] = id;
    }
  }

  const BpeVocabulary& vocabulary() const { return vocabulary_; }

 private:
  static constexpr int32_t kFirstByte = 5;
  const std::string& token(int32_t id) const { return vocabulary_.tokens[static_cast<size_t>(id)]; }
  int32_t add_token(const std::string& token) {
    vocabulary_.tokens.push_back(token);
    return static_cast<int32_t>(vocabulary_.tokens.size()) - 1;
  }

  BpeVocabulary vocabulary_;
  MergeTable table_{4 * kVocabulary};
  Merger merger_{table_};
};

}  // namespace

BpeVocabulary make_bpe(const MadeUpText& text) {
  MadeUpBpe bpe;
  for (const auto& entry : text.vocabulary) {
    if (entry.front() == '[' || entry.front() == '#') continue;
    bpe.add_word(entry);
    bpe.add_word(" " + entry);
  }
  return bpe.vocabulary();
}

}  // namespace kdbench
