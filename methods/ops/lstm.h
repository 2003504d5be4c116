// SPDX-License-Identifier: MIT
// One bidirectional LSTM layer over ragged rows, without padding: the inputs of all tokens and both
// directions are projected by one GEMM, each step is one GEMM over the rows that have a token
// there, and backward adds each weight's gradient by one GEMM over all tokens, straight into
// .grad() (parameter_gradient.h).
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/step_rows.h"

namespace kdbench {

// Of both directions, the forward one above the backward one, which begins at each row's last
// token. Of each direction gates i, f, g, o, H rows each; PyTorch's two bias vectors.
struct LstmParameters {
  at::Tensor input;        // (8 H, in)
  at::Tensor hidden;       // (8 H, H)
  at::Tensor input_bias;   // (8 H)
  at::Tensor hidden_bias;  // (8 H)
};

// x (T, in) by steps -> (T, 2 H) by steps: the states of both directions at each token. Rows may be
// none. Fast on the CPU in float32; elsewhere the reference. Not differentiable twice.
at::Tensor lstm(const at::Tensor& x, const StepRows& rows, const LstmParameters& parameters);
at::Tensor lstm_reference(const at::Tensor& x, const StepRows& rows,
                          const LstmParameters& parameters);

}  // namespace kdbench
