// SPDX-License-Identifier: MIT
// Self-attention within the rows of a ragged batch: softmax(Q K^T / sqrt(d)) V for each head, with
// keyed dropout on the probabilities. Nothing is padded in the fast form; backward computes the
// probabilities again from their log sums. Causal attention (GPT-2) sees no later token of its row.
#pragma once

#include <ATen/ATen.h>

#include "methods/ops/dropout.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

// Which tokens a token attends to: all of its row, or those up to itself.
enum class Seen { kRow, kBefore };

// qkv (T, 3 H) without its bias, bias (3 H), both as query | key | value -> (T, H) of qkv's type.
// Fast on the CPU in float32; elsewhere the reference. The bias gradient goes where
// parameter_gradient.h says.
at::Tensor attention(const at::Tensor& qkv, const at::Tensor& bias, const TokenRows& rows,
                     int64_t heads, const Dropout& dropout, Seen seen = Seen::kRow);

struct AttentionResult {
  at::Tensor context;        // (T, H)
  at::Tensor probabilities;  // (b, heads, L, L) before dropout, L = rows.longest, 0 outside a row
};
AttentionResult attention_reference(const at::Tensor& qkv, const at::Tensor& bias,
                                    const TokenRows& rows, int64_t heads, const Dropout& dropout,
                                    Seen seen = Seen::kRow);

}  // namespace kdbench
