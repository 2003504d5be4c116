// SPDX-License-Identifier: MIT
// States of chosen layers side by side, as teacher stores and batches hold them.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "methods/models/model.h"

namespace kdbench {

// [CLS] after `layers` (1-based): (b, layers, H). The pass must have had ForwardMode::cls_states.
at::Tensor cls_of_layers(const Outputs& outputs, const std::vector<int64_t>& layers);

// Every token after `layers` (1-based), which ForwardMode::hidden_layers must have named:
// (T, layers, H).
at::Tensor hidden_of_layers(const Outputs& outputs, const std::vector<int64_t>& layers);

}  // namespace kdbench
