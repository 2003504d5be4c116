// SPDX-License-Identifier: MIT
#include "suite/transfer/text_hash.h"

#include <utility>

namespace kdbench {
namespace {

__extension__ using Word128 = unsigned __int128;

constexpr Word128 kPrime = (Word128{1} << 88) + 0x13B;
constexpr Word128 kOffset = (Word128{0x6C62272E07BB0142u} << 64) + 0x62B821756295C58Du;

}  // namespace

TextHash128 hash_of(std::string_view text) {
  Word128 hash = kOffset;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  return {static_cast<uint64_t>(hash >> 64), static_cast<uint64_t>(hash)};
}

TextHash128& HashSet::place_of(const TextHash128& hash) {
  const size_t mask = places_.size() - 1;
  // The owner's rank is chosen by the low half: here the high one decides.
  size_t at = (hash.high ^ (hash.high >> 32)) & mask;
  while (places_[at] != TextHash128{} && places_[at] != hash) at = (at + 1) & mask;
  return places_[at];
}

void HashSet::grow() {
  std::vector<TextHash128> old(places_.empty() ? 1024 : 2 * places_.size());
  std::swap(old, places_);
  for (const auto& hash : old) {
    if (hash != TextHash128{}) place_of(hash) = hash;
  }
}

bool HashSet::insert(const TextHash128& hash) {
  if (hash == TextHash128{}) {
    if (std::exchange(has_zeros_, true)) return false;
  } else {
    if (4 * (size_ + 1) > 3 * static_cast<int64_t>(places_.size())) grow();
    TextHash128& place = place_of(hash);
    if (place == hash) return false;
    place = hash;
  }
  ++size_;
  return true;
}

}  // namespace kdbench
