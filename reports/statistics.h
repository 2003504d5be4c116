// SPDX-License-Identifier: MIT
// Figures of a few repeated runs. Few: below six values no 95 % interval of the median exists, and
// all values are shown instead.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace kdbench {

// Both NaN for no values.
double mean(const std::vector<double>& values);
double median(std::vector<double> values);
// With n - 1 (sample standard deviation); none for fewer than two values.
std::optional<double> standard_deviation(const std::vector<double>& values);
// The narrowest pair of order statistics, equally far from both ends, that covers the median with
// at least 95 % (exact, binomial); none for fewer than six values.
std::optional<std::pair<double, double>> median_interval(std::vector<double> values);

}  // namespace kdbench
