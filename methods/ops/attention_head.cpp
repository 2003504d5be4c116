// SPDX-License-Identifier: MIT
#include "methods/ops/attention_head.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "methods/ops/simd.h"
#include "methods/ops/small_gemm.h"
#include "methods/ops/softmax_rows.h"

namespace kdbench {
namespace {

// to (rows, padded size) = (from + bias) * scale; `from` has rows `stride` apart. Padding columns
// become 0.
KDBENCH_SIMD void load(int64_t rows, int64_t size, const float* from, int64_t stride,
                       const float* bias, float scale, float* to) {
  const int64_t columns = padded_columns(size);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < size; ++c) {
      to[i * columns + c] = (from[i * stride + c] + bias[c]) * scale;
    }
    for (int64_t c = size; c < columns; ++c) to[i * columns + c] = 0.0f;
  }
}

// (rows, padded size) -> (size, padded rows).
KDBENCH_SIMD void transpose(int64_t rows, int64_t size, const float* from, float* to) {
  const int64_t stride = padded_columns(size), columns = padded_columns(rows);
  for (int64_t c = 0; c < size; ++c) {
    for (int64_t i = 0; i < rows; ++i) to[c * columns + i] = from[i * stride + c];
    for (int64_t i = rows; i < columns; ++i) to[c * columns + i] = 0.0f;
  }
}

// to = from * scale for (rows, padded size) -> rows `stride` apart; adds the column sums of what
// was written to sums.
KDBENCH_SIMD void store(int64_t rows, int64_t size, const float* from, float scale, float* to,
                        int64_t stride, float* sums) {
  const int64_t columns = padded_columns(size);
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t c = 0; c < size; ++c) {
      const float value = from[i * columns + c] * scale;
      to[i * stride + c] = value;
      sums[c] += value;
    }
  }
}

}  // namespace

void AttentionHead::prepare(const HeadView& view, const PhiloxStream& stream, Keep keep) {
  const auto length = static_cast<size_t>(view.length);
  const auto rows = static_cast<size_t>(padded_columns(view.length));
  const auto columns = static_cast<size_t>(padded_columns(view.size));
  for (auto* matrix : {&query_, &key_, &value_, &output_, &dcontext_}) {
    matrix->resize(std::max(matrix->size(), length * columns));
  }
  transposed_.resize(std::max(transposed_.size(), columns * rows));
  for (auto* matrix : {&weights_, &dscores_}) {
    matrix->resize(std::max(matrix->size(), length * rows));
  }
  // The last query's padding reads beyond the words that are drawn.
  const int64_t blocks = philox_blocks(view.length * view.length);
  words_.resize(std::max(words_.size(), static_cast<size_t>(4 * blocks + kGemmColumns)));
  if (keep.threshold > 0) philox_words(stream, blocks, words_.data());

  const int64_t stride = 3 * view.width;
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(view.size)));
  load(view.length, view.size, view.qkv, stride, view.bias, scale, query_.data());
  load(view.length, view.size, view.qkv + view.width, stride, view.bias + view.width, 1.0f,
       key_.data());
  load(view.length, view.size, view.qkv + 2 * view.width, stride, view.bias + 2 * view.width, 1.0f,
       value_.data());
}

void AttentionHead::compute_scores(const HeadView& view) {
  const int64_t length = view.length, columns = padded_columns(length);
  transpose(length, view.size, key_.data(), transposed_.data());
  small_gemm(length, columns, view.size, {query_.data(), padded_columns(view.size), 1},
             transposed_.data(), weights_.data());
  for (int64_t i = 0; i < length; ++i) {
    std::fill(weights_.begin() + i * columns + view.keys(i), weights_.begin() + (i + 1) * columns,
              -std::numeric_limits<float>::infinity());
  }
}

void AttentionHead::forward(const HeadView& view, const PhiloxStream& stream, Keep keep,
                            float* context) {
  const int64_t length = view.length, columns = padded_columns(length);
  const int64_t size = padded_columns(view.size);
  prepare(view, stream, keep);
  compute_scores(view);
  for (int64_t i = 0; i < length; ++i) {
    const int64_t seen = padded_columns(view.keys(i));
    float* weights = &weights_[i * columns];
    view.log_sums[i] = softmax_dropout(seen, weights, &words_[i * length], keep);
    std::fill(weights + seen, weights + columns, 0.0f);
  }
  small_gemm(length, size, length, {weights_.data(), columns, 1}, value_.data(), output_.data());
  for (int64_t i = 0; i < length; ++i) {
    std::copy_n(&output_[i * size], view.size, context + i * view.width);
  }
}

void AttentionHead::backward(const HeadView& view, const PhiloxStream& stream, Keep keep,
                             const float* dcontext, float* dqkv, float* dbias) {
  const int64_t length = view.length, columns = padded_columns(length);
  const int64_t size = padded_columns(view.size), stride = 3 * view.width, width = view.width;
  prepare(view, stream, keep);
  compute_scores(view);
  // output_ serves as the zero bias here, then holds each result in turn.
  std::fill_n(output_.begin(), size, 0.0f);
  load(length, view.size, dcontext, width, output_.data(), 1.0f, dcontext_.data());
  transpose(length, view.size, value_.data(), transposed_.data());
  small_gemm(length, columns, view.size, {dcontext_.data(), size, 1}, transposed_.data(),
             dscores_.data());
  for (int64_t i = 0; i < length; ++i) {
    const int64_t seen = padded_columns(view.keys(i));
    float *weights = &weights_[i * columns], *dscores = &dscores_[i * columns];
    softmax_dropout_backward(seen, weights, dscores, view.log_sums[i], &words_[i * length], keep);
    std::fill(weights + seen, weights + columns, 0.0f);
    std::fill(dscores + seen, dscores + columns, 0.0f);
  }
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(view.size)));
  small_gemm(length, size, length, {dscores_.data(), columns, 1}, key_.data(), output_.data());
  store(length, view.size, output_.data(), scale, dqkv, stride, dbias);
  small_gemm(length, size, length, {dscores_.data(), 1, columns}, query_.data(), output_.data());
  store(length, view.size, output_.data(), 1.0f, dqkv + width, stride, dbias + width);
  small_gemm(length, size, length, {weights_.data(), 1, columns}, dcontext_.data(), output_.data());
  store(length, view.size, output_.data(), 1.0f, dqkv + 2 * width, stride, dbias + 2 * width);
}

}  // namespace kdbench
