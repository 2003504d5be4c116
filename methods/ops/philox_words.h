// SPDX-License-Identifier: MIT
// Many Philox blocks at once. Word e of n blocks is lane e / n of block first + e % n: lanes are
// kept apart, so that neither the vector form nor the tensor form has to interleave them.
#pragma once

#include <ATen/ATen.h>

#include <array>
#include <cstdint>

#include "methods/ops/rng.h"

namespace kdbench {

// What the blocks of one run of draws share: the counter is {first + i, row, place, step}.
struct PhiloxStream {
  RandomKey key;
  uint32_t place = 0;
  uint32_t row = 0;
  uint32_t first = 0;
};

// Blocks that hold `words` words.
constexpr int64_t philox_blocks(int64_t words) { return (words + 3) / 4; }

// Writes the 4 * blocks words of a stream. CPU, with the widest vectors of this machine.
void philox_words(const PhiloxStream& stream, int64_t blocks, uint32_t* words);

// The same in tensor operations for any device: counters are int64 tensors of values below 2^32
// that broadcast against each other; returns the four lanes.
std::array<at::Tensor, 4> philox_reference(uint64_t seed, const std::array<at::Tensor, 4>& counter);

}  // namespace kdbench
