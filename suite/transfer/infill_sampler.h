// SPDX-License-Identifier: MIT
// Sampling by infill (d-bert's sample_gpt --bert): a text is a row some of whose words are masked,
// with what a masked language model says in their places.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "methods/models/masked_model.h"
#include "suite/transfer/sample_draws.h"
#include "suite/transfer/text_sampler.h"

namespace kdbench {

class InfillSampler : public TextSampler {
 public:
  // Of a MaskedModel. Text n is made of row n modulo their number. Throws a user error where the
  // vocabulary has no mask.
  InfillSampler(const SampleSource& source, bool pair, const SampleSettings& settings);

  // Texts are computed in groups whose members depend on their numbers alone, each by one thread:
  // so the last bits of scores, and with them the texts, are the same wherever and with whatever
  // other texts they are made. Those of a group that are not asked for are made all the same.
  void sample(int64_t begin, int64_t end,
              const std::function<void(int64_t number, SampledText)>& take) override;

 private:
  struct MaskedText;
  MaskedText masked_text(int64_t number) const;
  std::string mask_words(std::string_view text, int64_t number, size_t& word) const;
  std::vector<SampledText> sample_group(int64_t first) const;
  void fill(std::vector<MaskedText>& texts) const;

  const MaskedModel& model_;
  const SampleSource& source_;
  const SampleSettings& settings_;
  const bool pair_;
  const int64_t longest_;
  const SampleDraws draws_;
  const MaskMarks marks_;
  at::Tensor drawable_;  // (n) int64: the ids that may be drawn: all but special ones
};

}  // namespace kdbench
