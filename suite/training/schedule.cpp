// SPDX-License-Identifier: MIT
#include "suite/training/schedule.h"

#include <cmath>
#include <stdexcept>

namespace kdbench {

double Schedule::rate(int64_t step) const {
  if (kind == "constant") return base;
  if (kind != "linear") throw std::logic_error("Schedule: unknown kind " + kind);
  if (step >= total) return 0.0;
  // 1e-9: a decimal product such as 0.1 * 30 counts as 3, not as 2.999...
  const auto warm = static_cast<int64_t>(std::floor(warmup * static_cast<double>(total) + 1e-9));
  if (step < warm) return base * static_cast<double>(step) / static_cast<double>(warm);
  return base * static_cast<double>(total - step) / static_cast<double>(total - warm);
}

const std::vector<std::string>& known_schedules() {
  static const std::vector<std::string> names{"linear", "constant"};
  return names;
}

}  // namespace kdbench
