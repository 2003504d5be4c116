// SPDX-License-Identifier: MIT
#include "methods/ops/distance_attention.h"

#include <ATen/record_function.h>

#include <cmath>
#include <limits>

namespace kdbench {

at::Tensor distance_attention(const at::Tensor& query, const at::Tensor& key,
                              const at::Tensor& value, const at::Tensor& distances,
                              const at::Tensor& content_bias, const at::Tensor& distance_bias,
                              const DistanceView& view, const at::Tensor& keep) {
  RECORD_USER_SCOPE("distance_attention");
  const int64_t tokens = query.size(0), heads = query.size(1), size = query.size(2);
  const int64_t given = key.size(0), keys = view.zeros + given;
  const auto by_head = [](const at::Tensor& x) { return x.transpose(0, 1); };  // (h, ., d)
  at::Tensor content = at::matmul(by_head(query + content_bias), by_head(key).transpose(1, 2));
  if (view.zeros > 0) content = at::constant_pad_nd(content, {view.zeros, 0});
  const at::Tensor by_distance =
      at::matmul(by_head(query + distance_bias), by_head(distances).transpose(1, 2));

  const auto options = at::TensorOptions().dtype(at::kLong).device(query.device());
  const at::Tensor place = at::arange(keys, options);
  const at::Tensor distance = (place.narrow(0, keys - tokens, tokens).unsqueeze(1) - place);
  at::Tensor hidden = distance.lt(0);
  if (view.window > 0) hidden = hidden.logical_or(distance.ge(view.window));
  const at::Tensor index = distance.clamp(0, distances.size(0) - 1).unsqueeze(0);
  const at::Tensor scores = (content + by_distance.gather(2, index.expand({heads, tokens, keys}))) /
                            std::sqrt(static_cast<double>(size));
  at::Tensor weights =
      at::softmax(scores.masked_fill(hidden, -std::numeric_limits<double>::infinity()), 2);
  if (keep.defined()) weights = weights * by_head(keep);
  return at::matmul(weights.narrow(2, view.zeros, given), by_head(value))
      .transpose(0, 1)
      .reshape({tokens, heads * size});
}

}  // namespace kdbench
