// SPDX-License-Identifier: MIT
#include "suite/training/step_work.h"

#include <algorithm>

namespace kdbench {
namespace {

constexpr int64_t kBucketFloats = int64_t{4} << 20;

}  // namespace

int64_t steps_per_epoch(int64_t rows, int64_t batch_size) {
  return (rows + batch_size - 1) / batch_size;
}

int64_t epochs_of(const Phase& phase, const TrainSettings& settings) {
  return phase.epochs.value_or(settings.epochs);
}

bool keeps_best_weights(const std::vector<Phase>& phases, const TrainSettings& settings) {
  return settings.checkpoint == "best" ||
         std::any_of(phases.begin(), phases.end(), [](const Phase& phase) {
           return phase.start == StartWeights::kBestOfPreviousPhase;
         });
}

const Dataset& rows_of(const Dataset& data, const std::string& role) {
  return role == kTeacher ? data.of_teacher() : data;
}

std::vector<GradientBucket> gradient_buckets(const ParameterLayout& layout) {
  std::vector<GradientBucket> buckets;
  int64_t begin = 0;
  const auto cut_until = [&](int64_t end) {
    for (; begin < end; begin += buckets.back().size)
      buckets.push_back({begin, std::min(kBucketFloats, end - begin)});
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

}  // namespace kdbench
