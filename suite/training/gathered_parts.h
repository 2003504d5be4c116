// SPDX-License-Identifier: MIT
// What each rank has of its own part of a model's buffer, brought together.
#pragma once

#include <ATen/ATen.h>

#include "suite/ranks/collectives.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

// `buffer` (buffer_size) holds what this rank's `part` of it is, see own_ranges() and
// RankPart::moves_row; afterwards it holds all parts, on every rank. Collective.
void gather_parts(const at::Tensor& buffer, const ParameterLayout& layout, const RankPart& part,
                  Collectives& collectives);

}  // namespace kdbench
