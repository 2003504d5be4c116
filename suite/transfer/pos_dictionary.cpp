// SPDX-License-Identifier: MIT
#include "suite/transfer/pos_dictionary.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <string_view>

#include "io/base/text.h"
#include "io/words/code_points.h"
#include "suite/transfer/text_draws.h"

namespace kdbench {

PosDictionary::PosDictionary(const TagCounts& counts) {
  Range range;
  const std::string* tag = nullptr;
  const auto end_tag = [&] { ranges_.resize(words_.size(), {range.begin, size()}); };
  for (const auto& [pair, count] : counts) {
    if (!tag || *tag != pair.first) {
      end_tag();
      tag = &pair.first;
      range.begin = size();
      ++tags_;
    }
    const int64_t before = size() == range.begin ? 0 : occurred_.back();
    occurred_.push_back(before + count);
    numbers_.emplace_hint(numbers_.end(), pair, size());
    words_.push_back(pair.second);
  }
  end_tag();
}

int32_t PosDictionary::number(const std::string& tag, const std::string& word) const {
  return numbers_.at({tag, word});
}

int32_t PosDictionary::draw(int32_t number, uint64_t random) const {
  const Range range = ranges_[static_cast<size_t>(number)];
  const auto begin = occurred_.begin() + range.begin, end = occurred_.begin() + range.end;
  const auto drawn = static_cast<int64_t>(below(random, static_cast<uint64_t>(*(end - 1))));
  return static_cast<int32_t>(std::upper_bound(begin, end, drawn) - occurred_.begin());
}

TagCounts gathered(const TagCounts& mine, const Control& control) {
  std::string text;  // no word or tag holds a tab or an end of line
  for (const auto& [pair, count] : mine) {
    text.append(pair.first).append("\t").append(pair.second).append("\t");
    text.append(std::to_string(count)).append("\n");
  }
  TagCounts all;
  std::vector<std::string_view> cells;
  for (const std::string& part : control.gather(text)) {
    for (std::string_view rest = part; !rest.empty();) {
      split_cells(take_line(rest), cells);
      int64_t count = 0;
      std::from_chars(cells[2].data(), cells[2].data() + cells[2].size(), count);
      all[{std::string(cells[0]), std::string(cells[1])}] += count;
    }
  }
  return all;
}

std::string frequency_class(const std::string& word, int64_t count) {
  const std::u32string letters = code_points(word);
  const auto digit = [](char32_t c) { return is_digit(c); };
  const bool digits = std::any_of(letters.begin(), letters.end(), digit);
  const bool text = std::any_of(letters.begin(), letters.end(),
                                [&](char32_t c) { return is_word_character(c) && !digit(c); });
  const std::string kind = text ? "word" : digits ? "number" : "mark";
  return kind + std::to_string(std::bit_width(static_cast<uint64_t>(count)));
}

}  // namespace kdbench
