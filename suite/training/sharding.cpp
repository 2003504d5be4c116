// SPDX-License-Identifier: MIT
#include "suite/training/sharding.h"

#include <algorithm>
#include <numeric>

namespace kdbench {

std::vector<std::vector<int64_t>> split_rows(const Dataset& data, const std::vector<int64_t>& rows,
                                             int ranks) {
  std::vector<std::vector<int64_t>> shares(static_cast<size_t>(ranks));
  if (ranks == 1) {
    shares[0] = rows;
    return shares;
  }
  std::vector<size_t> longest_first(rows.size());
  std::iota(longest_first.begin(), longest_first.end(), 0);
  std::stable_sort(longest_first.begin(), longest_first.end(),
                   [&](size_t a, size_t b) { return data.length(rows[a]) > data.length(rows[b]); });
  std::vector<int64_t> load(shares.size(), 0);
  std::vector<size_t> rank_of(rows.size());
  for (const size_t position : longest_first) {
    const size_t rank = std::min_element(load.begin(), load.end()) - load.begin();
    load[rank] += data.length(rows[position]);
    rank_of[position] = rank;
  }
  for (size_t position = 0; position < rows.size(); ++position) {
    shares[rank_of[position]].push_back(rows[position]);
  }
  return shares;
}

int64_t targets_of(const Dataset& data, const std::vector<int64_t>& rows) {
  int64_t targets = 0;
  for (const int64_t row : rows) targets += data.targets(row);
  return targets;
}

std::vector<std::vector<int64_t>> micro_batches(const std::vector<std::vector<int64_t>>& shares,
                                                int rank, int64_t micro_batch) {
  const auto& mine = shares[static_cast<size_t>(rank)];
  if (micro_batch <= 0) return {mine};
  size_t largest = 0;
  for (const auto& share : shares) largest = std::max(largest, share.size());
  const auto width = static_cast<size_t>(micro_batch);
  std::vector<std::vector<int64_t>> slices(std::max<size_t>(1, (largest + width - 1) / width));
  for (size_t i = 0; i < mine.size(); ++i) slices[i / width].push_back(mine[i]);
  return slices;
}

}  // namespace kdbench
