// SPDX-License-Identifier: MIT
#include "methods/ops/dropout.h"

#include <vector>

#include "methods/ops/chunks.h"

namespace kdbench {
namespace {

at::Tensor factors_of(const Dropout& dropout, const at::Tensor& words) {
  const at::Tensor kept = words.ge(static_cast<int64_t>(dropout.threshold()));
  return kept.to(at::kFloat).mul_(dropout.scale());
}

// A word of `like`'s device that broadcasts.
at::Tensor constant(uint32_t value, const at::Tensor& like) {
  return at::full({}, static_cast<int64_t>(value), like.options());
}

at::Tensor low_word(const at::Tensor& ids) { return ids.bitwise_and(0xFFFFFFFF); }

}  // namespace

at::Tensor dropout_factors(const Dropout& dropout, const TokenRows& rows, int64_t width) {
  if (!rows.row.is_cpu()) return dropout_factors_reference(dropout, rows, width);
  const int64_t blocks = philox_blocks(width);
  at::Tensor factors = at::empty({rows.tokens(), width}, at::kFloat);
  float* data = factors.mutable_data_ptr<float>();
  const int64_t* row_id = rows.row_id.const_data_ptr<int64_t>();
  const int64_t* position = rows.position.const_data_ptr<int64_t>();
  const uint32_t threshold = dropout.threshold();
  const auto scale = static_cast<float>(dropout.scale());
  for_token_chunks(rows.tokens(), [&](int64_t, int64_t begin, int64_t end) {
    std::vector<uint32_t> words(4 * blocks);
    for (int64_t t = begin; t < end; ++t) {
      philox_words(dropout.stream(row_id[t], position[t] * blocks), blocks, words.data());
      for (int64_t h = 0; h < width; ++h) {
        data[t * width + h] = words[h] >= threshold ? scale : 0.0f;
      }
    }
  });
  return factors;
}

at::Tensor dropout_factors_reference(const Dropout& dropout, const TokenRows& rows, int64_t width) {
  const int64_t blocks = philox_blocks(width);
  const at::Tensor in_row = at::arange(blocks, rows.position.options());
  const auto lanes = philox_reference(
      dropout.key.seed,
      {rows.position.unsqueeze(1) * blocks + in_row, low_word(rows.row_id).unsqueeze(1),
       constant(dropout.place, in_row), constant(dropout.key.step, in_row)});
  return factors_of(dropout, at::cat(at::TensorList(lanes), 1).narrow(1, 0, width));
}

at::Tensor attention_dropout_factors_reference(const Dropout& dropout, const TokenRows& rows,
                                               int64_t heads) {
  const at::Device device = rows.row.device();
  const std::vector<int64_t> dims = {-1, 1, 1, 1};
  const at::Tensor lengths = rows.offsets.diff().to(device).view(dims);
  const at::Tensor range = at::arange(rows.longest, lengths.options());
  const at::Tensor query = range.view({1, 1, -1, 1}), key = range.view({1, 1, 1, -1});
  const at::Tensor head = at::arange(heads, lengths.options()).view({1, -1, 1, 1});
  const at::Tensor blocks = (lengths * lengths + 3).floor_divide(4).clamp_min(1);
  const at::Tensor element = query * lengths + key;
  const at::Tensor lane = element.floor_divide(blocks).clamp_max(3);
  const auto lanes = philox_reference(
      dropout.key.seed,
      {head * blocks + element.remainder(blocks), low_word(rows.row_ids.to(device)).view(dims),
       constant(dropout.place, lengths), constant(dropout.key.step, lengths)});
  at::Tensor words = lanes[0];
  for (int64_t i = 1; i < 4; ++i) words = at::where(lane.eq(i), lanes[i], words);
  const at::Tensor inside = query.lt(lengths).logical_and(key.lt(lengths));
  return factors_of(dropout, words).mul_(inside);
}

at::Tensor dropout(const at::Tensor& x, const Dropout& dropout, const TokenRows& rows) {
  if (!dropout.active()) return x;
  return x * dropout_factors(dropout, rows, x.size(1)).to(x.scalar_type());
}

}  // namespace kdbench
