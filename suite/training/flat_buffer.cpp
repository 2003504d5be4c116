// SPDX-License-Identifier: MIT
#include "suite/training/flat_buffer.h"

#include <algorithm>

#include "methods/ops/simd.h"

namespace kdbench {
namespace {

// 128 KB of each buffer: small against a thread's share, large against the cost of a span.
constexpr int64_t kSpan = 32768;

KDBENCH_SIMD double sum_of_squares(const float* values, int64_t count) {
  constexpr int64_t kLanes = 32;
  double lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      lanes[lane] += value * value;
    }
  }
  for (; i < count; ++i) lanes[0] += static_cast<double>(values[i]) * values[i];
  double sum = 0.0;
  for (const double lane : lanes) sum += lane;
  return sum;
}

// The whole buffer, neighbours of equal decay together.
std::vector<FlatSpan> runs_of(const ParameterLayout& layout) {
  std::vector<FlatSpan> runs;
  for (const auto& segment : layout.segments()) {
    if (!runs.empty()) runs.back().end = segment.offset;
    if (runs.empty() || runs.back().decay != segment.decay)
      runs.push_back({segment.offset, segment.offset, segment.decay});
  }
  if (!runs.empty()) runs.back().end = layout.buffer_size();
  return runs;
}

}  // namespace

std::vector<FlatSpan> long_spans(const ParameterLayout& layout,
                                 const std::vector<FlatRange>& ranges) {
  const auto runs = runs_of(layout);
  std::vector<FlatSpan> spans;
  for (const auto& range : ranges) {
    for (const auto& run : runs) {
      const FlatSpan span{std::max(run.begin, range.begin), std::min(run.end, range.end),
                          run.decay};
      if (span.size() > 0) spans.push_back(span);
    }
  }
  return spans;
}

std::vector<FlatSpan> cut_spans(const ParameterLayout& layout,
                                const std::vector<FlatRange>& ranges) {
  std::vector<FlatSpan> spans;
  for (const auto& span : long_spans(layout, ranges)) {
    const auto cut = cut_range(span.begin, span.end, span.decay);
    spans.insert(spans.end(), cut.begin(), cut.end());
  }
  return spans;
}

std::vector<FlatSpan> cut_range(int64_t begin, int64_t end, bool decay) {
  std::vector<FlatSpan> spans;
  for (; begin < end; begin += kSpan) spans.push_back({begin, std::min(begin + kSpan, end), decay});
  return spans;
}

double flat_squares(const at::Tensor& buffer, const std::vector<FlatSpan>& spans) {
  const float* const data = buffer.const_data_ptr<float>();
  std::vector<double> sums(spans.size());
  for_spans(spans, [&](const FlatSpan& span) {
    sums[&span - spans.data()] = sum_of_squares(data + span.begin, span.end - span.begin);
  });
  double sum = 0.0;
  for (const double part : sums) sum += part;
  return sum;
}

at::Tensor range_squares(const at::Tensor& buffer, const FlatRange& range) {
  const at::Tensor part = buffer.narrow(0, range.begin, range.size());
  return at::linalg_vector_norm(part, 2, {}, false, at::kDouble).square();
}

double clip_scale(double norm, double clip) {
  return clip > 0.0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

}  // namespace kdbench
