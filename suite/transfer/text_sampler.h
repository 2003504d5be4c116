// SPDX-License-Identifier: MIT
// Ancestral sampling: texts drawn id by id from a language model, many at once; where one ends, the
// next begins.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "suite/transfer/sample_set.h"

namespace kdbench {

// One text as it was drawn, its marks among the ids.
struct SampledText {
  std::vector<int32_t> ids;
  bool ended = false;  // by its mark, not by its length
};

class TextSampler {
 public:
  // `pair`: a text ends after two texts. Throws a user error where no id can begin a text.
  TextSampler(const SampleSource& source, bool pair, const SampleSettings& settings);

  // The texts `begin` .. `end` - 1, in the order in which they end. What a text is depends on the
  // seed and its number alone. Local.
  void sample(int64_t begin, int64_t end,
              const std::function<void(int64_t number, SampledText)>& take);

 private:
  struct Place {
    int64_t number = 0;
    int marks = 0;  // that were drawn
    SampledText text;
  };
  void begin_text(Place& place, int64_t number) const;
  // Draws the next id of the place; true when the text is finished.
  bool go_on(Place& place, float* scores) const;
  double uniform(int64_t number, size_t position) const;

  const SampleSource& source_;
  const SampleSettings& settings_;
  const TextMarks marks_;
  const int marks_needed_;
  const int64_t longest_;
  const uint64_t seed_;
  std::vector<int64_t> first_sums_;  // of source.first_ids, but of marks
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace kdbench
