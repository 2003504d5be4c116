// SPDX-License-Identifier: MIT
// The plain form: rows are padded to the longest one inside this function alone.
#include <cmath>
#include <limits>

#include "methods/ops/attention.h"

namespace kdbench {

AttentionResult attention_reference(const at::Tensor& qkv, const at::Tensor& bias,
                                    const TokenRows& rows, int64_t heads, const Dropout& dropout,
                                    Seen seen) {
  const int64_t b = rows.rows(), longest = rows.longest, width = qkv.size(1) / 3;
  const int64_t size = width / heads;
  const at::Tensor cell = rows.row * longest + rows.position;  // (T) in the padded batch
  const at::Tensor padded = at::zeros({b * longest, 3 * width}, qkv.options())
                                .index_copy(0, cell, qkv + bias)
                                .view({b, longest, 3, heads, size});
  const at::Tensor query = padded.select(2, 0).transpose(1, 2);  // (b, heads, L, d)
  const at::Tensor key = padded.select(2, 1).transpose(1, 2);
  const at::Tensor value = padded.select(2, 2).transpose(1, 2);

  const at::Tensor lengths = rows.offsets.diff().to(qkv.device()).unsqueeze(1);
  const at::Tensor inside = at::arange(longest, lengths.options()).unsqueeze(0).lt(lengths);
  const at::Tensor scores =
      at::matmul(query, key.transpose(2, 3)) / std::sqrt(static_cast<double>(size));
  at::Tensor hidden = inside.logical_not().view({b, 1, 1, longest});
  if (seen == Seen::kBefore) {
    const at::Tensor place = at::arange(longest, lengths.options());
    hidden = hidden.logical_or(place.unsqueeze(0).gt(place.unsqueeze(1)));
  }
  const at::Tensor masked = scores.masked_fill(hidden, -std::numeric_limits<double>::infinity());
  AttentionResult result;
  result.probabilities = at::softmax(masked, 3) * inside.view({b, 1, longest, 1});
  at::Tensor weights = result.probabilities;
  if (dropout.active()) {
    weights = weights * attention_dropout_factors_reference(dropout, rows, heads);
  }
  result.context = at::matmul(weights, value)
                       .transpose(1, 2)
                       .reshape({b * longest, width})
                       .index_select(0, cell);
  return result;
}

}  // namespace kdbench
