// SPDX-License-Identifier: MIT
// The pieces in which a model's gradients travel, and which rank's optimizer moves which part of
// them (as in ZeRO, Rajbhandari et al. 2020: each rank sums and moves its own part, then all parts
// are shared). One place for those who do it and the plan, which announces it.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "methods/models/parameters.h"

namespace kdbench {

// Floats [begin, end) of a flat buffer.
struct FlatRange {
  int64_t begin = 0, end = 0;

  int64_t size() const { return end - begin; }
};

// A rank among those that share the work of a step.
struct RankPart {
  int64_t rank = 0, size = 1;
  // They have one copy of the values together: a row of a table of tokens is then moved by one of
  // them as well. Otherwise each moves all rows in its own copy.
  bool one_copy = false;

  bool moves_row(int64_t row) const { return !one_copy || row % size == rank; }
};

// In buffer order: what backward finishes first comes first. Tables of tokens are in none: of them
// the rows that a step touches travel by themselves. Larger on a GPU than on the CPU, where a
// bucket is to stay in the cache.
std::vector<FlatRange> gradient_buckets(const ParameterLayout& layout, at::DeviceType device);

// The ranks' parts of a range, in order; the last ones may be shorter or empty.
std::vector<FlatRange> split_range(const FlatRange& range, int64_t ranks);

// This rank's part of each bucket.
std::vector<FlatRange> own_ranges(const ParameterLayout& layout, at::DeviceType device,
                                  const RankPart& part);

}  // namespace kdbench
