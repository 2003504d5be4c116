// SPDX-License-Identifier: MIT
// What decoders are made of: parameters as plain floats on the CPU, norms of a few rows, the check
// of a step.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "methods/ops/dropout_add_layer_norm.h"

namespace kdbench {

using Floats = std::vector<float>;

// A copy.
Floats floats_of(const at::Tensor& tensor);

class PackedNorm {
 public:
  explicit PackedNorm(const LayerNormParameters& norm);
  // y = LayerNorm(x), row by row; may be in place. x, y (rows, H).
  void operator()(int64_t rows, const Floats& x, Floats& y) const;

 private:
  Floats gamma_, beta_;
  float eps_;
};

// That a step of decoding can be taken: ids are of the vocabulary (else a user error), every place
// is there once and has room (else a programmer's mistake).
void check_step(const std::vector<int64_t>& places, const std::vector<int64_t>& ids,
                const std::vector<int64_t>& lengths, int64_t longest, int64_t vocabulary);

}  // namespace kdbench
