// SPDX-License-Identifier: MIT
// The numbers of Philox4x32-10: two multipliers, and what the two key words grow by in each of ten
// rounds.
#pragma once

#include <cstdint>

namespace kdbench {

inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53, kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9, kPhiloxWeyl1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

}  // namespace kdbench
