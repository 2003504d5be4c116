// SPDX-License-Identifier: MIT
#include "methods/models/masked_model.h"

#include <ATen/ATen.h>

namespace kdbench {

Targets masked_targets(const Batch& batch) {
  const at::Tensor& ids = batch.ragged_field(field::kTargets).values;
  Targets targets;
  targets.positions = ids.ge(0).nonzero().squeeze(1);
  targets.ids = ids.index_select(0, targets.positions);
  return targets;
}

}  // namespace kdbench
