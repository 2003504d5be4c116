// SPDX-License-Identifier: MIT
// Vectorised loops over the scores of one row, (n) float32 of any length.
#pragma once

#include <cstdint>

namespace kdbench {

// log sum exp(scores).
float log_sum_exp(int64_t n, const float* scores);

// scores -> scale * exp(scores - log_sum), in place.
void scaled_softmax(int64_t n, float log_sum, float scale, float* scores);

}  // namespace kdbench
