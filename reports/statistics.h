// SPDX-License-Identifier: MIT
// Means and deviations of a few repeated runs.
#pragma once

#include <string>
#include <vector>

namespace kdbench {

// NaN for no values.
double mean(const std::vector<double>& values);
// With n - 1 (sample standard deviation); 0 for fewer than two values.
double standard_deviation(const std::vector<double>& values);
// "0.852 (0.006)"; "0.852" for one value; "-" for none.
std::string mean_text(const std::vector<double>& values, int digits);

}  // namespace kdbench
