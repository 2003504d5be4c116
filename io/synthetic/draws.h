// SPDX-License-Identifier: MIT
// The random choices of the corpora. The standard fixes mt19937_64's numbers but not what its
// distributions make of them, so the mapping is our own: the same corpora on every platform.
// For the same reason no expression may draw twice: the order of its operands is the compiler's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace kdbench {

class Draws {
 public:
  explicit Draws(uint64_t seed) : engine_(seed) {}

  // 0 .. n - 1; n from 1 to 2^32.
  size_t below(size_t n) { return static_cast<size_t>(((engine_() >> 32) * n) >> 32); }
  bool percent(size_t chance) { return below(100) < chance; }
  template <typename T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace kdbench
