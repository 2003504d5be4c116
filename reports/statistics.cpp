// SPDX-License-Identifier: MIT
#include "reports/statistics.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <numeric>

namespace kdbench {

double mean(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0.0;
  const double center = mean(values);
  double squares = 0.0;
  for (const double value : values) squares += (value - center) * (value - center);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

std::string mean_text(const std::vector<double>& values, int digits) {
  if (values.empty()) return "-";
  const std::string center = fmt::format("{:.{}f}", mean(values), digits);
  if (values.size() == 1) return center;
  return fmt::format("{} ({:.{}f})", center, standard_deviation(values), digits);
}

}  // namespace kdbench
