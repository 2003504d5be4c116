// SPDX-License-Identifier: MIT
// Wall time of parts of the work.
#pragma once

#include <chrono>

namespace kdbench {

inline double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace kdbench
