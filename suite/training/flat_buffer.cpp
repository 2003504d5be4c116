// SPDX-License-Identifier: MIT
#include "suite/training/flat_buffer.h"

#include <algorithm>
#include <cmath>

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

// The segments that are taken, neighbours of equal decay together.
template <typename Taken>
std::vector<FlatSpan> cut_runs(const ParameterLayout& layout, Taken&& taken) {
  std::vector<FlatSpan> runs, spans;
  const auto& segments = layout.segments();
  for (size_t i = 0; i < segments.size(); ++i) {
    const Segment& segment = segments[i];
    if (!taken(segment)) continue;
    const int64_t end = i + 1 < segments.size() ? segments[i + 1].offset : layout.buffer_size();
    if (runs.empty() || runs.back().decay != segment.decay || runs.back().end != segment.offset)
      runs.push_back({segment.offset, 0, segment.decay});
    runs.back().end = end;
  }
  for (const auto& run : runs) {
    const auto cut = cut_range(run.begin, run.end, run.decay);
    spans.insert(spans.end(), cut.begin(), cut.end());
  }
  return spans;
}

}  // namespace

std::vector<FlatSpan> cut_spans(const ParameterLayout& layout) {
  return cut_runs(layout, [](const Segment&) { return true; });
}

std::vector<FlatSpan> cut_dense_spans(const ParameterLayout& layout) {
  return cut_runs(layout, [](const Segment& segment) { return !segment.token_table; });
}

std::vector<FlatSpan> cut_range(int64_t begin, int64_t end, bool decay) {
  std::vector<FlatSpan> spans;
  for (; begin < end; begin += kSpan) spans.push_back({begin, std::min(begin + kSpan, end), decay});
  return spans;
}

double flat_norm(const at::Tensor& buffer, const std::vector<FlatSpan>& spans) {
  const float* const data = buffer.const_data_ptr<float>();
  std::vector<double> sums(spans.size());
  for_spans(spans, [&](const FlatSpan& span) {
    sums[&span - spans.data()] = sum_of_squares(data + span.begin, span.end - span.begin);
  });
  double sum = 0.0;
  for (const double part : sums) sum += part;
  return std::sqrt(sum);
}

double clip_scale(double norm, double clip) {
  return clip > 0.0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

}  // namespace kdbench
