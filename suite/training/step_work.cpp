// SPDX-License-Identifier: MIT
#include "suite/training/step_work.h"

#include <algorithm>

namespace kdbench {

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

}  // namespace kdbench
