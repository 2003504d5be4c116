// SPDX-License-Identifier: MIT
// All words of the training rows by part of speech. A draw gives the words of a tag as often as
// they occur: the unigram distribution given the tag (d-lite, Tang et al. 2019, section 3.2).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "suite/ranks/control.h"

namespace kdbench {

// How often a word (second) occurs with a tag (first).
using TagCounts = std::map<std::pair<std::string, std::string>, int64_t>;

class PosDictionary {
 public:
  // Every pair has a number, 0 .. size() - 1 in ascending order.
  explicit PosDictionary(const TagCounts& counts);

  int32_t size() const { return static_cast<int32_t>(words_.size()); }
  int64_t tags() const { return tags_; }
  // Of a pair that is there.
  int32_t number(const std::string& tag, const std::string& word) const;
  const std::string& word(int32_t number) const { return words_[static_cast<size_t>(number)]; }
  // The number of a pair with the same tag, itself included; `random` is uniform over 64 bits.
  int32_t draw(int32_t number, uint64_t random) const;

 private:
  // Numbers of one tag: begin .. end - 1.
  struct Range {
    int32_t begin = 0, end = 0;
  };

  std::vector<std::string> words_;
  std::map<std::pair<std::string, std::string>, int32_t> numbers_;
  std::vector<Range> ranges_;      // of each number's tag
  std::vector<int64_t> occurred_;  // summed within the tag, up to and with each number
  int64_t tags_ = 0;
};

// The sums over all ranks, on each. Collective.
TagCounts gathered(const TagCounts& mine, const Control& control);

// What stands for a part of speech where there is no tagger: words of one kind (with letters, with
// digits alone, others) that occur about as often, from one power of two to the next.
std::string frequency_class(const std::string& word, int64_t count);

}  // namespace kdbench
