// SPDX-License-Identifier: MIT
#include "io/base/range.h"

#include <fmt/format.h>

#include <cmath>

namespace kdbench {

bool Range::contains(double value) const {
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string Range::text() const {
  const bool bottom = std::isfinite(low), top = std::isfinite(high);
  if (bottom && top && !low_open && !high_open) return fmt::format(" from {} to {}", low, high);
  std::string text;
  if (bottom) text = fmt::format(" {} {}", low_open ? ">" : ">=", low);
  if (bottom && top) text += " and";
  if (top) text += fmt::format(" {} {}", high_open ? "<" : "<=", high);
  return text;
}

}  // namespace kdbench
