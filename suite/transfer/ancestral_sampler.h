// SPDX-License-Identifier: MIT
// Ancestral sampling: texts drawn id by id from a language model, many at once; where one ends, the
// next begins.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "methods/models/language_model.h"
#include "suite/transfer/sample_draws.h"
#include "suite/transfer/text_sampler.h"

namespace kdbench {

class AncestralSampler : public TextSampler {
 public:
  // Of a LanguageModel. `pair`: a text ends after two texts. Throws a user error where no id can
  // begin a text.
  AncestralSampler(const SampleSource& source, bool pair, const SampleSettings& settings);

  // In the order in which they end.
  void sample(int64_t begin, int64_t end,
              const std::function<void(int64_t number, SampledText)>& take) override;

 private:
  struct Place {
    int64_t number = 0;
    int marks = 0;  // that were drawn
    SampledText text;
  };
  void begin_text(Place& place, int64_t number) const;
  // Draws the next id of the place; true when the text is finished.
  bool go_on(Place& place, float* scores) const;

  const SampleSettings& settings_;
  const TextMarks marks_;
  const int marks_needed_;
  const int64_t longest_;
  const SampleDraws draws_;
  std::vector<int64_t> first_sums_;  // of source.first_ids, but of marks
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace kdbench
