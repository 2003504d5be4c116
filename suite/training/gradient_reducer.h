// SPDX-License-Identifier: MIT
// Sums a model's gradients over the ranks: its flat buffer bucket by bucket, and of tables of
// tokens the rows that the step touches, which every rank knows from the global batch.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/ranks/collectives.h"

namespace kdbench {

class GradientReducer {
 public:
  explicit GradientReducer(Collectives& collectives) : collectives_(collectives) {}

  // `tokens`: the distinct ones of the global batch, the same on all ranks. Collective.
  void reduce(Parameters& parameters, const std::vector<int64_t>& tokens);

 private:
  Collectives& collectives_;
};

}  // namespace kdbench
