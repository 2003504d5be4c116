// SPDX-License-Identifier: MIT
#include "suite/training/gradient_buckets.h"

#include <algorithm>

namespace kdbench {
namespace {

constexpr int64_t kFloatsOnCpu = int64_t{1} << 20, kFloatsOnGpu = int64_t{6} << 20;
constexpr int64_t kAlignment = 16;  // floats: parts of two ranks share no cache line

}  // namespace

std::vector<FlatRange> gradient_buckets(const ParameterLayout& layout, at::DeviceType device) {
  const int64_t floats = device == at::kCPU ? kFloatsOnCpu : kFloatsOnGpu;
  std::vector<FlatRange> buckets;
  int64_t begin = 0;
  const auto cut_until = [&](int64_t end) {
    for (; begin < end; begin = buckets.back().end)
      buckets.push_back({begin, std::min(begin + floats, end)});
  };
  const auto& segments = layout.segments();
  for (size_t i = 0; i < segments.size(); ++i) {
    if (!segments[i].token_table) continue;
    cut_until(segments[i].offset);
    begin = i + 1 < segments.size() ? segments[i + 1].offset : layout.buffer_size();
  }
  cut_until(layout.buffer_size());
  return buckets;
}

std::vector<FlatRange> split_range(const FlatRange& range, int64_t ranks) {
  const int64_t share = (range.size() + ranks - 1) / ranks;
  const int64_t width = (share + kAlignment - 1) / kAlignment * kAlignment;
  std::vector<FlatRange> parts;
  for (int64_t rank = 0; rank < ranks; ++rank) {
    const auto cut = [&](int64_t n) { return std::min(range.begin + n * width, range.end); };
    parts.push_back({cut(rank), cut(rank + 1)});
  }
  return parts;
}

std::vector<FlatRange> own_ranges(const ParameterLayout& layout, at::DeviceType device,
                                  const RankPart& part) {
  std::vector<FlatRange> own;
  for (const auto& bucket : gradient_buckets(layout, device))
    own.push_back(split_range(bucket, part.size)[static_cast<size_t>(part.rank)]);
  return own;
}

}  // namespace kdbench
