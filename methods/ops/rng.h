// SPDX-License-Identifier: MIT
// Counter-based randomness: Philox4x32-10 (Salmon et al., SC'11, "Parallel random numbers: as easy
// as 1, 2, 3"). A number depends on (seed, step, row id, place, index) alone: never on a rank, a
// thread, or what was drawn before.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace kdbench {

using PhiloxBlock = std::array<uint32_t, 4>;

// Ten rounds. Reference form, scalar; the vectorised users (ops/) are tested against it.
PhiloxBlock philox(uint64_t key, PhiloxBlock counter);

// What keys the draws of one forward pass. The block of element `e` of row `r` at `place` is
// philox(seed, {block_of(e), uint32(r), place, step}).
struct RandomKey {
  uint64_t seed = 0;
  uint32_t step = 0;
};

// A key for another stream (a phase, a model of the same run), independent of `seed`'s own.
uint64_t derive_seed(uint64_t seed, std::string_view stream);

// The order of `rows` ids in one epoch: sorted by a keyed number; a pure function of (seed, epoch,
// ids). Returns positions into `row_ids`.
std::vector<int64_t> shuffled_order(uint64_t seed, int64_t epoch,
                                    const std::vector<int64_t>& row_ids);

// Fills `data` with N(0, deviation), keyed by (seed, name, index): initialisation of a named
// parameter.
void fill_normal(uint64_t seed, std::string_view name, double deviation, float* data,
                 int64_t count);
// Uniform in [low, high), keyed alike.
void fill_uniform(uint64_t seed, std::string_view name, double low, double high, float* data,
                  int64_t count);

}  // namespace kdbench
