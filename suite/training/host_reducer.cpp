// SPDX-License-Identifier: MIT
#include "suite/training/host_reducer.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "methods/ops/simd.h"
#include "suite/training/flat_buffer.h"

namespace kdbench {
namespace {

KDBENCH_SIMD void add_to(float* __restrict sums, const float* __restrict addends, int64_t count) {
  for (int64_t i = 0; i < count; ++i) sums[i] += addends[i];
}

// In order of rank, whoever adds: into `own`, one of `ranks`; the others become zero.
void add_up(const std::vector<float*>& ranks, float* own, const FlatSpan& span) {
  constexpr int64_t kFloats = 2048;  // stay in the first cache
  std::array<float, kFloats> sums;
  for (int64_t begin = span.begin; begin < span.end; begin += kFloats) {
    const int64_t count = std::min(kFloats, span.end - begin);
    const size_t bytes = static_cast<size_t>(count) * sizeof(float);
    std::memcpy(sums.data(), ranks.front() + begin, bytes);
    for (size_t rank = 1; rank < ranks.size(); ++rank)
      add_to(sums.data(), ranks[rank] + begin, count);
    for (float* const gradients : ranks) {
      if (gradients == own) {
        std::memcpy(gradients + begin, sums.data(), bytes);
      } else {
        std::memset(gradients + begin, 0, bytes);
      }
    }
  }
}

}  // namespace

HostReducer::HostReducer(Parameters& parameters, const Control& control)
    : parameters_(parameters),
      control_(control),
      moved_(parameters, {control.rank(), control.size(), true}, true) {
  const auto bytes = static_cast<int64_t>(parameters.values().nbytes());
  gradients_ = share_blocks(control, bytes);
  const auto values = share_blocks(control, control.root() ? bytes : 0).front();
  const auto& own = gradients_[static_cast<size_t>(control.rank())];
  std::memcpy(own->data(), parameters.gradients().data_ptr(), static_cast<size_t>(bytes));
  move_into(parameters.gradients(), own);
  if (control.root())
    std::memcpy(values->data(), parameters.values().data_ptr(), static_cast<size_t>(bytes));
  control.barrier();
  move_into(parameters.values(), values);
}

HostReducer::~HostReducer() { move_out(parameters_.values()); }

void HostReducer::reduce(const std::vector<int64_t>& tokens) {
  std::vector<float*> ranks;
  for (const auto& block : gradients_) ranks.push_back(static_cast<float*>(block->data()));
  float* const own = ranks[static_cast<size_t>(control_.rank())];
  const auto spans = moved_.spans(&tokens);
  control_.barrier();  // all gradients are there
  for_spans(spans, [&](const FlatSpan& span) { add_up(ranks, own, span); });
  control_.barrier();  // nobody reads this rank's any more
}

void HostReducer::share_values() {
  control_.barrier();
  note_moved(parameters_);
}

void HostReducer::share_settled() { control_.barrier(); }

}  // namespace kdbench
