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

std::vector<GradientBucket> gradient_buckets(int64_t floats) {
  std::vector<GradientBucket> buckets;
  for (int64_t begin = 0; begin < floats; begin += kBucketFloats) {
    buckets.push_back({begin, std::min(kBucketFloats, floats - begin)});
  }
  return buckets;
}

}  // namespace kdbench
