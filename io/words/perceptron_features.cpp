// SPDX-License-Identifier: MIT
#include "io/words/perceptron_features.h"

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "io/words/code_points.h"

namespace kdbench {
namespace {

constexpr size_t kMarks = 2;  // on either side of a sentence
constexpr int kSuffix = 3;    // letters

std::string normalized(const std::string& word) {
  if (word.find('-') != std::string::npos && word.front() != '-') return "!HYPHEN";
  const std::u32string letters = code_points(word);
  if (letters.size() == 4 && std::all_of(letters.begin(), letters.end(), is_digit)) return "!YEAR";
  if (is_digit(letters.front())) return "!DIGITS";
  return small_letters(word);
}

}  // namespace

std::vector<std::string> perceptron_context(const std::vector<std::string>& words) {
  std::vector<std::string> context{kStart, kBeforeStart};
  for (const auto& word : words) context.push_back(normalized(word));
  context.insert(context.end(), {"-END-", "-END2-"});
  return context;
}

void perceptron_features(size_t i, const std::string& word, const std::vector<std::string>& context,
                         const std::string& previous, const std::string& before,
                         std::vector<std::string>& features) {
  size_t count = 0;
  const auto add = [&](std::string_view name, std::initializer_list<std::string_view> values) {
    if (features.size() == count) features.emplace_back();
    std::string& feature = features[count++];
    feature.assign(name);
    for (const auto& value : values) feature.append(" ").append(value);
  };
  const std::string* around = context.data() + i + kMarks;
  add("bias", {});
  add("i suffix", {last_letters(word, kSuffix)});
  add("i pref1", {first_letter(word)});
  add("i-1 tag", {previous});
  add("i-2 tag", {before});
  add("i tag+i-2 tag", {previous, before});
  add("i word", {around[0]});
  add("i-1 tag+i word", {previous, around[0]});
  add("i-1 word", {around[-1]});
  add("i-1 suffix", {last_letters(around[-1], kSuffix)});
  add("i-2 word", {around[-2]});
  add("i+1 word", {around[1]});
  add("i+1 suffix", {last_letters(around[1], kSuffix)});
  add("i+2 word", {around[2]});
  features.resize(count);
}

}  // namespace kdbench
