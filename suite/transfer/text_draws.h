// SPDX-License-Identifier: MIT
// The random numbers of a transfer set: a function of (seed, row, iteration, place) alone.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/ops/philox_words.h"
#include "methods/ops/rng.h"

namespace kdbench {

// What the numbers are for. Sides of a pair have their own: side 0 or 1 is added.
enum class DrawPlace : uint32_t { kSides = 0, kWords = 1, kWindow = 3 };

// 0 .. n - 1 of a number that is uniform over 64 (32) bits; n > 0.
inline uint64_t below(uint64_t random, uint64_t n) {
  // The high half of the product, by halves.
  const uint64_t high = random >> 32, low = random & 0xFFFFFFFF;
  const uint64_t n_high = n >> 32, n_low = n & 0xFFFFFFFF;
  const uint64_t middle = high * n_low + (low * n_low >> 32);
  const uint64_t cross = low * n_high + (middle & 0xFFFFFFFF);
  return high * n_high + (middle >> 32) + (cross >> 32);
}
inline uint64_t below(uint32_t random, uint64_t n) { return below(uint64_t{random} << 32, n); }

// In [0, 1), in steps of 2^-32.
inline double unit(uint32_t random) { return random * 0x1p-32; }

// The numbers of one iteration of a row.
class TextDraws {
 public:
  TextDraws(uint64_t seed, int64_t row, int64_t iteration)
      : key_{seed, static_cast<uint32_t>(iteration)}, row_(static_cast<uint32_t>(row)) {}

  // Four numbers.
  PhiloxBlock block(DrawPlace place, int side = 0) const {
    return philox(key_.seed, {0, row_, number(place, side), key_.step});
  }
  // Four numbers a word, the first of all words, then the second of all words, and so on.
  void words(int side, size_t count, std::vector<uint32_t>& numbers) const {
    numbers.resize(4 * count);
    philox_words({key_, number(DrawPlace::kWords, side), row_, 0}, static_cast<int64_t>(count),
                 numbers.data());
  }

 private:
  static uint32_t number(DrawPlace place, int side) {
    return static_cast<uint32_t>(place) + static_cast<uint32_t>(side);
  }

  RandomKey key_;
  uint32_t row_;
};

}  // namespace kdbench
