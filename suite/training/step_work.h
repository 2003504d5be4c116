// SPDX-License-Identifier: MIT
// What a phase of training consists of: its epochs and steps. One place for the trainer, which does
// it, and the plan, which announces it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/batches/dataset.h"
#include "methods/method.h"
#include "suite/training/train_settings.h"

namespace kdbench {

// The last partial batch is kept.
int64_t steps_per_epoch(int64_t rows, int64_t batch_size);

// The student's best weights are kept: they are the result, or a phase begins with them.
bool keeps_best_weights(const std::vector<Phase>& phases, const TrainSettings& settings);

// A phase's own epochs win over train.epochs.
int64_t epochs_of(const Phase& phase, const TrainSettings& settings);

// The rows as the model of this role reads them.
const Dataset& rows_of(const Dataset& data, const std::string& role);

}  // namespace kdbench
