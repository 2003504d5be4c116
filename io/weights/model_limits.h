// SPDX-License-Identifier: MIT
// The largest sizes that a model may be given. They lie far above any model; below them no product
// of sizes leaves int64, and a mistyped number is named instead of filling the memory.
#pragma once

#include <cstdint>

namespace kdbench {

inline constexpr int64_t kMostLayers = int64_t{1} << 12;
inline constexpr int64_t kLargestSize = int64_t{1} << 24;  // width, vocabulary, positions, ...

}  // namespace kdbench
