// SPDX-License-Identifier: MIT
#include "methods/ops/rng.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "methods/ops/philox_constants.h"

namespace kdbench {
namespace {

// The finalizer of SplitMix64: every bit of the result depends on every bit of `x`.
uint64_t mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// FNV-1a.
uint64_t hash_text(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

// Uniform in (0, 1): never 0, whose logarithm is infinite.
double open_unit(uint32_t word) { return (word + 0.5) * 0x1p-32; }

// Calls write(first index, block) for the blocks of `count` numbers, on all threads.
template <typename Write>
void draw_blocks(uint64_t key, int64_t count, const Write& write) {
  constexpr int64_t kGrain = 1 << 14;
  at::parallel_for(0, (count + 3) / 4, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const auto low = static_cast<uint32_t>(n), high = static_cast<uint32_t>(n >> 32);
      write(4 * n, philox(key, {low, high, 0, 0}));
    }
  });
}

}  // namespace

PhiloxBlock philox(uint64_t key, PhiloxBlock counter) {
  auto key0 = static_cast<uint32_t>(key), key1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{kPhiloxMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {
        static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key0, static_cast<uint32_t>(product1),
        static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key1, static_cast<uint32_t>(product0)};
    key0 += kPhiloxWeyl0;
    key1 += kPhiloxWeyl1;
  }
  return counter;
}

uint64_t derive_seed(uint64_t seed, std::string_view stream) {
  return mix(mix(seed) ^ hash_text(stream));
}

std::vector<int64_t> shuffled_order(uint64_t seed, int64_t epoch,
                                    const std::vector<int64_t>& row_ids) {
  const uint64_t key = derive_seed(seed, "shuffle");
  std::vector<uint64_t> rank(row_ids.size());
  for (size_t i = 0; i < row_ids.size(); ++i) {
    const auto id = static_cast<uint64_t>(row_ids[i]), turn = static_cast<uint64_t>(epoch);
    const PhiloxBlock block =
        philox(key, {static_cast<uint32_t>(id), static_cast<uint32_t>(id >> 32),
                     static_cast<uint32_t>(turn), static_cast<uint32_t>(turn >> 32)});
    rank[i] = uint64_t{block[0]} << 32 | block[1];
  }
  std::vector<int64_t> order(row_ids.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return std::pair(rank[a], row_ids[a]) < std::pair(rank[b], row_ids[b]);
  });
  return order;
}

void fill_normal(uint64_t seed, std::string_view name, double deviation, float* data,
                 int64_t count) {
  // Box and Muller: two uniform numbers make two normal ones.
  draw_blocks(derive_seed(seed, name), count, [=](int64_t first, const PhiloxBlock& block) {
    for (int64_t pair = 0; pair < 2; ++pair) {
      const double radius = deviation * std::sqrt(-2.0 * std::log(open_unit(block[2 * pair])));
      const double angle = 2.0 * std::numbers::pi * open_unit(block[2 * pair + 1]);
      const int64_t i = first + 2 * pair;
      if (i < count) data[i] = static_cast<float>(radius * std::cos(angle));
      if (i + 1 < count) data[i + 1] = static_cast<float>(radius * std::sin(angle));
    }
  });
}

void fill_uniform(uint64_t seed, std::string_view name, double low, double high, float* data,
                  int64_t count) {
  draw_blocks(derive_seed(seed, name), count, [=](int64_t first, const PhiloxBlock& block) {
    const int64_t last = std::min(first + 4, count);
    for (int64_t i = first; i < last; ++i) {
      data[i] = static_cast<float>(low + (high - low) * (block[i - first] * 0x1p-32));
    }
  });
}

}  // namespace kdbench
