// SPDX-License-Identifier: MIT
// What the states of a row's tokens come to: one vector a row.
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/step_rows.h"

namespace kdbench {

// Of a bidirectional layer's states (T, 2 H) by steps, the last of each direction: (b, 2 H), the
// forward state after a row's last token beside the backward state after its first.
at::Tensor end_states(const at::Tensor& states, const StepRows& rows);
at::Tensor end_states_reference(const at::Tensor& states, const StepRows& rows);

// The largest of each channel over a row's tokens: states (T, W) by steps -> (b, W). Of equal ones
// the first gets the gradient.
at::Tensor largest_states(const at::Tensor& states, const StepRows& rows);
at::Tensor largest_states_reference(const at::Tensor& states, const StepRows& rows);

}  // namespace kdbench
