// SPDX-License-Identifier: MIT
// Learning-rate schedules: pure functions of the step.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kdbench {

struct Schedule {
  std::string kind = "linear";  // linear | constant
  double base = 0.0;            // learning rate
  double warmup = 0.0;          // fraction of total
  int64_t total = 0;            // steps

  // Rate at 0-based `step`: with warm = floor(warmup total + 1e-9), base min(step/warm,
  // (total-step)/(total-warm)), warm = 0: base (total-step)/total; 0 beyond total. A constant
  // schedule is base at every step, without warm-up.
  double rate(int64_t step) const;
};

const std::vector<std::string>& known_schedules();

}  // namespace kdbench
