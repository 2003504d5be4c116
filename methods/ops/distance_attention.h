// SPDX-License-Identifier: MIT
// Attention of one row's tokens to themselves and to what stands before them, by content and by
// distance (Dai et al. 2019, 3.3): score of query i and key j = ((q_i + u) . k_j + (q_i + v) .
// r_(i - j)) / sqrt(d). Plain operations, differentiable.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace kdbench {

// What a query sees: keys at distances below `window`, or all (0) that are not after it.
struct DistanceView {
  int64_t zeros = 0;  // keys that are 0, with values 0, before the first that is given
  int64_t window = 0;
};

// n tokens after m others of which keys and values are given. query (n, h, d), key, value (m + n,
// h, d), distances (all that occur, h, d) by distance, content_bias and distance_bias (h, d) ->
// (n, h * d). `keep` (n, h, zeros + m + n): factors of the probabilities, or undefined.
at::Tensor distance_attention(const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& value, const at::Tensor& distances,
                              const at::Tensor& content_bias, const at::Tensor& distance_bias,
                              const DistanceView& view, const at::Tensor& keep = {});

}  // namespace kdbench
