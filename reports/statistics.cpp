// SPDX-License-Identifier: MIT
#include "reports/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace kdbench {

double mean(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

std::optional<double> standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const double center = mean(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::optional<std::pair<double, double>> median_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  // Without the outer `left_out` values at each end, the interval misses the median with twice the
  // probability that at most `left_out` of n fair coins show heads: `tail`.
  std::optional<std::pair<double, double>> interval;
  double term = std::exp2(-n), tail = term;
  for (size_t left_out = 0; 2 * left_out < values.size() && 2.0 * tail <= 0.05; ++left_out) {
    interval = {values[left_out], values[values.size() - 1 - left_out]};
    const auto k = static_cast<double>(left_out);
    term *= (n - k) / (k + 1);
    tail += term;
  }
  return interval;
}

}  // namespace kdbench
