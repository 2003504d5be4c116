// SPDX-License-Identifier: MIT
// Passes over flat parameter buffers. The buffer is cut into fixed spans, whatever the number of
// threads, so that sums do not depend on it.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdint>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

// Floats [begin, end) of the buffer, all with or all without weight decay.
struct FlatSpan {
  int64_t begin = 0, end = 0;
  bool decay = true;

  int64_t size() const { return end - begin; }
};

// What of the buffer lies within `ranges` (in order), alignment gaps included (they belong to the
// span before them): as long as decay and ranges allow, and cut.
std::vector<FlatSpan> long_spans(const ParameterLayout& layout,
                                 const std::vector<FlatRange>& ranges);
std::vector<FlatSpan> cut_spans(const ParameterLayout& layout,
                                const std::vector<FlatRange>& ranges);

// The floats [begin, end), cut alike.
std::vector<FlatSpan> cut_range(int64_t begin, int64_t end, bool decay);

// Autograd must notice a graph that still needs the old values, as after any in-place operation.
inline void note_moved(Parameters& parameters) {
  parameters.values().unsafeGetTensorImpl()->bump_version();
}

// Calls f(span) for every span, in parallel.
template <typename F>
void for_spans(const std::vector<FlatSpan>& spans, F&& f) {
  at::parallel_for(0, static_cast<int64_t>(spans.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) f(spans[i]);
  });
}

// Sum of the squares of the spans' floats, in double precision. `buffer`: (buffer_size) float32 on
// the CPU.
double flat_squares(const at::Tensor& buffer, const std::vector<FlatSpan>& spans);
// The same of one range on any device: 0-dimensional float64, there.
at::Tensor range_squares(const at::Tensor& buffer, const FlatRange& range);

// min(1, clip / (norm + 1e-6)); 1 without clipping (clip = 0).
double clip_scale(double norm, double clip);

}  // namespace kdbench
