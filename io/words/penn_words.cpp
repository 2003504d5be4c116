// SPDX-License-Identifier: MIT
// Two passes: the first puts spaces around what stands alone, the second looks at each piece
// between spaces for clitics and contractions.
#include "io/words/penn_words.h"

#include <algorithm>
#include <array>
#include <utility>

#include "io/base/text.h"
#include "io/words/code_points.h"

namespace kdbench {
namespace {

constexpr std::u32string_view kAlone =
    U";@#$%&?!*()[]{}<>\u00AB\u00BB\u2018\u2019\u201C\u201D"
    U"\u201E\u2012\u2013\u2014\u2015";
// A double quote after one of these, or after white space, opens.
constexpr std::u32string_view kBeforeOpening = U"([{<\u00AB\u2018\u201C\u201E`";
// What may stand between a sentence's period and its end.
constexpr std::u32string_view kClosing = U"])}>\"'\u00BB\u201D\u2019";

// Words whose period belongs to them, in small letters.
constexpr auto kAbbreviations = std::to_array<std::string_view>(
    {"adm", "al",   "assn", "aug", "ave", "bros", "capt", "cf",  "cmdr", "co",   "col", "corp",
     "dec", "dept", "dr",   "etc", "feb", "gen",  "gov",  "hon", "inc",  "jan",  "jr",  "lt",
     "ltd", "maj",  "mr",   "mrs", "ms",  "mt",   "nov",  "oct", "ph",   "prof", "rep", "rev",
     "sen", "sep",  "sept", "sgt", "sr",  "st",   "supt", "viz", "vs"});

bool holds(std::u32string_view set, char32_t c) { return set.find(c) != std::u32string_view::npos; }

// Puts spaces around what stands alone.
class Spacing {
 public:
  explicit Spacing(std::u32string text) : text_(std::move(text)) {}

  std::string run() {
    for (size_t i = 0; i < text_.size();) i += take(i);
    return std::move(spaced_);
  }

 private:
  char32_t at(size_t i) const { return i < text_.size() ? text_[i] : U' '; }
  bool ends(size_t i) const { return i >= text_.size(); }

  void alone(std::string_view word) { spaced_.append(" ").append(word).append(" "); }

  // Letters from `i` on that are `c`.
  size_t run_of(char32_t c, size_t i) const {
    size_t n = 0;
    while (!ends(i + n) && text_[i + n] == c) ++n;
    return n;
  }

  // Writes what begins at `i`; the number of letters it has taken.
  size_t take(size_t i) {
    const char32_t c = text_[i];
    if (c == U'"') return quote(i, i == 0 || (i == 1 && text_[0] == U'"'), 1);
    if (c == U'\'') return apostrophe(i);
    if (c == U'.') return period(i);
    if (c == U',' || c == U':') return comma(i);
    if (c == U'`') return alone_run(i, run_of(c, i));
    if (c == U'-' && at(i + 1) == U'-') return alone_run(i, 2);
    if (holds(kAlone, c)) return alone_run(i, 1);
    if (is_white_space(c)) {
      spaced_ += ' ';
    } else {
      append_utf8(spaced_, c);
    }
    return 1;
  }

  size_t alone_run(size_t i, size_t length) {
    std::string word;
    for (size_t k = i; k < i + length; ++k) append_utf8(word, text_[k]);
    alone(word);
    return length;
  }

  bool opens(size_t i) const {
    return i > 0 && (is_white_space(text_[i - 1]) || holds(kBeforeOpening, text_[i - 1]));
  }

  size_t quote(size_t i, bool begins, size_t length) {
    alone(begins || opens(i) ? "``" : "''");
    return length;
  }

  // Two are a double quote; one is alone at a word's end and, unless a clitic begins there, at a
  // word's beginning.
  size_t apostrophe(size_t i) {
    if (at(i + 1) == U'\'') return quote(i, false, 2);
    const bool after_word = i > 0 && is_word_character(text_[i - 1]);
    const bool before_word = is_word_character(at(i + 1));
    const bool leads = !after_word && before_word && !clitic_at(i + 1);
    const bool last =
        is_white_space(at(i + 1)) || holds(kAlone, at(i + 1)) || holds(U".,:\"`", at(i + 1));
    if (leads || last) return alone_run(i, 1);
    spaced_ += '\'';
    return 1;
  }

  bool clitic_at(size_t i) const {
    std::string word;
    for (size_t k = i; is_word_character(at(k)) && word.size() < 3; ++k) append_utf8(word, at(k));
    constexpr std::array<std::string_view, 8> kClitics{"re", "ve", "ll", "m", "t", "s", "d", "n"};
    return std::find(kClitics.begin(), kClitics.end(), ascii_lower(word)) != kClitics.end();
  }

  // Several stand alone together; one at the end of a sentence alone.
  size_t period(size_t i) {
    const size_t length = run_of(U'.', i);
    if (length > 1) return alone_run(i, length);
    if (ends_sentence(i)) return alone_run(i, 1);
    spaced_ += '.';
    return 1;
  }

  bool ends_sentence(size_t i) const {
    size_t next = i + 1;
    while (!ends(next) && holds(kClosing, text_[next])) ++next;
    if (!is_white_space(at(next))) return false;
    while (!ends(next) && (is_white_space(text_[next]) || holds(kClosing, text_[next]))) {
      if (text_[next] == U'"' && opens(next)) break;
      ++next;
    }
    return ends(next) || !(is_abbreviation(i) || goes_on(i, next));
  }

  // Whether what follows a period shows that the sentence does not end there: "Wash. , based",
  // "No. 1".
  bool goes_on(size_t i, size_t next) const {
    const bool number = i >= 2 && (text_[i - 1] == U'o') && holds(U"nN", text_[i - 2]) &&
                        !(i >= 3 && is_word_character(text_[i - 3]));
    return holds(U",;:", text_[next]) || (number && is_digit(text_[next]));
  }

  // Whether the word before a period has it by itself: "U.S", "J", "Mr".
  bool is_abbreviation(size_t end) const {
    size_t begin = end;
    while (begin > 0 && (is_word_character(text_[begin - 1]) || text_[begin - 1] == U'.')) --begin;
    std::string word;
    for (size_t k = begin; k < end; ++k) append_utf8(word, text_[k]);
    const bool initial = end - begin == 1 && !is_digit(text_[begin]) && text_[begin] != U'I';
    const std::string small = small_letters(word);
    return initial || (word.find('.') != std::string::npos && !is_digit(text_[end - 1])) ||
           std::find(kAbbreviations.begin(), kAbbreviations.end(), small) != kAbbreviations.end();
  }

  // Alone unless a digit follows ("3,400", "10:30"). Of two, the second is only looked at when
  // the text ends there, as in the original rules.
  size_t comma(size_t i) {
    const bool paired = i == paired_;
    if (ends(i + 1) || (!paired && !is_digit(text_[i + 1]))) {
      paired_ = i + 1;
      return alone_run(i, 1);
    }
    append_utf8(spaced_, text_[i]);
    return 1;
  }

  std::u32string text_;
  std::string spaced_;
  size_t paired_ = std::u32string::npos;  // the letter that a comma was cut off before
};

// Cuts the first ending of `endings` that `word` has, with something before it, off.
template <size_t N>
std::string cut_ending(std::string& word, const std::array<std::string_view, N>& endings) {
  for (const auto& ending : endings) {
    if (word.size() <= ending.size() || !word.ends_with(ending)) continue;
    if (word[word.size() - ending.size() - 1] == '\'') continue;
    std::string cut(ending);
    word.resize(word.size() - ending.size());
    return cut;
  }
  return "";
}

// "cannot" is two words, "gimme" too: where the second begins; 0 in others.
size_t contraction(const std::string& word) {
  constexpr std::array<std::pair<std::string_view, size_t>, 8> kContractions{{{"cannot", 3},
                                                                              {"d'ye", 1},
                                                                              {"gimme", 3},
                                                                              {"gonna", 3},
                                                                              {"gotta", 3},
                                                                              {"lemme", 3},
                                                                              {"more'n", 4},
                                                                              {"wanna", 3}}};
  const std::string small = ascii_lower(word);
  for (const auto& [text, first] : kContractions) {
    if (small == text) return first;
  }
  return 0;
}

// The words of what stands between two spaces.
void take_piece(std::string piece, std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 6> kShort{"'s", "'S", "'m", "'M", "'d", "'D"};
  constexpr std::array<std::string_view, 8> kLong{"'ll", "'LL", "'re", "'RE",
                                                  "'ve", "'VE", "n't", "N'T"};
  const std::string last = cut_ending(piece, kShort), before = cut_ending(piece, kLong);
  const size_t first = contraction(piece);
  if (first > 0) words.push_back(piece.substr(0, first));
  words.push_back(piece.substr(first));
  for (const auto& clitic : {before, last}) {
    if (!clitic.empty()) words.push_back(clitic);
  }
}

}  // namespace

std::vector<std::string> penn_words(std::string_view text) {
  const std::string spaced = Spacing(code_points(text)).run();
  std::vector<std::string> words;
  for (size_t begin = 0; begin < spaced.size();) {
    const size_t end = std::min(spaced.find(' ', begin), spaced.size());
    if (end > begin) take_piece(spaced.substr(begin, end - begin), words);
    begin = end + 1;
  }
  return words;
}

}  // namespace kdbench
