// SPDX-License-Identifier: MIT
// Vectorised loops over the scores of one query, (n) float32 where n is a multiple of 16: padding
// behind the row's keys holds -infinity on the way in. `words` and `keep` as in row_kernels.h.
#pragma once

#include <cstdint>

#include "methods/ops/row_kernels.h"

namespace kdbench {

// scores -> dropout(softmax(scores)), in place; returns log sum exp(scores).
float softmax_dropout(int64_t n, float* scores, const uint32_t* words, Keep keep);

// scores -> weights = dropout(p), p = exp(scores - log_sum), in place; dweights -> dscores =
// p (dropout(dweights) - sum p dropout(dweights)), in place.
void softmax_dropout_backward(int64_t n, float* scores, float* dweights, float log_sum,
                              const uint32_t* words, Keep keep);

}  // namespace kdbench
