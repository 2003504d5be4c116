// SPDX-License-Identifier: MIT
// How a language model makes texts, one number after the other.
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
  virtual ~TextSampler() = default;
  // The texts `begin` .. `end` - 1, in any order. What a text is depends on the seed and its number
  // alone. Local.
  virtual void sample(int64_t begin, int64_t end,
                      const std::function<void(int64_t number, SampledText)>& take) = 0;
};

// By the kind of the source's model. All three outlive it. Throws a user error where no text can
// begin.
std::unique_ptr<TextSampler> make_text_sampler(const SampleSource& source, bool pair,
                                               const SampleSettings& settings);

}  // namespace kdbench
