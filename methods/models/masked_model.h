// SPDX-License-Identifier: MIT
// What a masked language model offers (Devlin et al. 2019, 3.1): losses of the ids that were hidden
// for training, and scores of what may stand in their places for filling them.
#pragma once

#include <cstdint>
#include <functional>

#include "methods/models/text_model.h"

namespace kdbench {

// Scores of all ids at some of the places that were asked for, the first of which is place `first`:
// (some, V) float32 on the CPU, which may be overwritten.
using PlaceScores = std::function<void(int64_t first, at::Tensor scores)>;

// A row's targets are those of field::kTargets; the whole row, as it stands, is seen.
class MaskedModel : public TextModel {
 public:
  // Tells `take` what may stand at `places`, (n) int64: tokens of the batch, ascending. In their
  // order, some at a time; in evaluation mode, without gradients. Throws as target_losses.
  virtual void score(const Batch& batch, const at::Tensor& places,
                     const PlaceScores& take) const = 0;

 protected:
  using TextModel::TextModel;
};

// The targets of a batch with field::kTargets, each told by its own token's state.
Targets masked_targets(const Batch& batch);

}  // namespace kdbench
