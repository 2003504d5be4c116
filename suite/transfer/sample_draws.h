// SPDX-License-Identifier: MIT
// The random numbers of sampled texts: a function of (seed, number of the text, place) alone.
#pragma once

#include <cstddef>
#include <cstdint>

#include "methods/ops/rng.h"

namespace kdbench {

// What a number is for: an id, or whether a word is masked.
enum class SampleDraw : uint32_t { kId = 0, kWord = 1 };

class SampleDraws {
 public:
  explicit SampleDraws(int64_t seed) : seed_(derive_seed(static_cast<uint64_t>(seed), "samples")) {}

  // In [0, 1), of 53 bits.
  double uniform(int64_t number, size_t place, SampleDraw draw = SampleDraw::kId) const {
    const auto index = static_cast<uint64_t>(number);
    const PhiloxBlock block =
        philox(seed_, {static_cast<uint32_t>(place), static_cast<uint32_t>(index),
                       static_cast<uint32_t>(index >> 32), static_cast<uint32_t>(draw)});
    const uint64_t bits = (uint64_t{block[0]} << 32 | block[1]) >> 11;
    return static_cast<double>(bits) * 0x1p-53;
  }

 private:
  uint64_t seed_;
};

}  // namespace kdbench
