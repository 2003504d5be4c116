// SPDX-License-Identifier: MIT
// Made-up batches of token ids below 20.
#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "io/batches/batch.h"

namespace kdbench::testing {

inline Batch make_batch(const std::vector<std::vector<int64_t>>& rows,
                        const std::vector<int64_t>& first_segment,
                        const std::vector<int64_t>& row_ids) {
  std::vector<int64_t> tokens, offsets = {0};
  for (const auto& row : rows) {
    tokens.insert(tokens.end(), row.begin(), row.end());
    offsets.push_back(static_cast<int64_t>(tokens.size()));
  }
  Batch batch;
  batch.global_rows = static_cast<int64_t>(rows.size());
  batch.row_ids = at::tensor(row_ids, at::kLong);
  batch.ragged[field::kTokens] = {at::tensor(tokens, at::kLong), at::tensor(offsets, at::kLong)};
  batch.dense[field::kFirstSegment] = at::tensor(first_segment, at::kLong);
  return batch;
}

// The rows `chosen` of a small made-up batch of five, in that order.
inline Batch small_batch(const std::vector<int64_t>& chosen) {
  const std::vector<std::vector<int64_t>> rows = {
      {2, 9, 8, 7, 3}, {2, 3}, {2, 5, 5, 5, 5, 5, 3, 11, 12, 3}, {2, 19, 3, 18, 3}, {2, 4, 6, 3}};
  const std::vector<int64_t> first_segment = {5, 2, 7, 3, 4}, ids = {4, 0, 70000, 17, 9};
  std::vector<std::vector<int64_t>> tokens;
  std::vector<int64_t> segments, row_ids;
  for (const int64_t r : chosen) {
    tokens.push_back(rows[r]);
    segments.push_back(first_segment[r]);
    row_ids.push_back(ids[r]);
  }
  return make_batch(tokens, segments, row_ids);
}

}  // namespace kdbench::testing
