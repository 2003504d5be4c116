// SPDX-License-Identifier: MIT
// 128 bits that stand for a text, and a set of them: of a million texts two have the same with a
// probability of 10^-27.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kdbench {

struct TextHash128 {
  uint64_t high = 0, low = 0;
  bool operator==(const TextHash128&) const = default;
};

// FNV-1a of 128 bits (Fowler, Noll, Vo).
TextHash128 hash_of(std::string_view text);

// Grows by doubling; at most 3 of 4 places are taken, so it needs 21 to 43 bytes a hash, and half
// as much again while it grows.
class HashSet {
 public:
  // False when it was there.
  bool insert(const TextHash128& hash);
  int64_t size() const { return size_; }
  int64_t bytes() const { return static_cast<int64_t>(places_.capacity() * sizeof(TextHash128)); }

 private:
  TextHash128& place_of(const TextHash128& hash);
  void grow();

  std::vector<TextHash128> places_;  // zeros: free
  int64_t size_ = 0;
  bool has_zeros_ = false;  // the hash that looks like a free place
};

}  // namespace kdbench
