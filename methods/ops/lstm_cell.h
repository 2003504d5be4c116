// SPDX-License-Identifier: MIT
// Vectorised float32 loops over the `width` channels of one LSTM cell (Hochreiter and Schmidhuber
// 1997, with forget gates): i, f, o = sigmoid, g = tanh of the gates' sums, c = f c' + i g, h = o
// tanh(c). Gates stand in the order i, f, g, o, each of `width` floats.
#pragma once

#include <cstdint>

namespace kdbench {

// gates (4 width): their sums -> their values. `before`: c'.
void lstm_cell(int64_t width, float* gates, const float* before, float* cell, float* state);

// gates: their values -> the gradients of their sums. dcell: the gradient of c from the next cell
// -> that of c'. The gradient of h is dstate + dstate_next.
void lstm_cell_backward(int64_t width, float* gates, const float* before, const float* cell,
                        const float* dstate, const float* dstate_next, float* dcell);

}  // namespace kdbench
