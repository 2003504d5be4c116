// SPDX-License-Identifier: MIT
// The numbers that a key takes: bounds that belong to it or not, and how they are written.
#pragma once

#include <limits>
#include <string>

namespace kdbench {

struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;

  bool contains(double value) const;
  // " > 0", " >= 1", " from 0 to 1", " >= 0 and < 1", "" without bounds: to be put behind "a
  // number".
  std::string text() const;
};
inline Range at_least(double low) { return {.low = low}; }
inline Range above(double low) { return {.low = low, .low_open = true}; }

}  // namespace kdbench
