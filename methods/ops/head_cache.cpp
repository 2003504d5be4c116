// SPDX-License-Identifier: MIT
#include "methods/ops/head_cache.h"

#include <algorithm>

#include "methods/ops/simd.h"

namespace kdbench {
namespace {

// A block's scores, or as many channels of a value.
typedef float Block __attribute__((vector_size(4 * kKeyBlock), aligned(4), may_alias));

KDBENCH_SIMD void block_scores(int64_t blocks, int64_t size, const float* query, const float* keys,
                               float* scores) {
  for (int64_t b = 0; b < blocks; ++b) {
    const auto* key = reinterpret_cast<const Block*>(keys + b * size * kKeyBlock);
    Block sum = {};
    for (int64_t c = 0; c < size; ++c) sum += query[c] * key[c];
    *reinterpret_cast<Block*>(scores + b * kKeyBlock) = sum;
  }
}

KDBENCH_SIMD void weigh_values(int64_t tokens, int64_t columns, const float* weights,
                               const float* values, float* out) {
  for (int64_t c = 0; c < columns; c += kKeyBlock) {
    Block sum = {};
    for (int64_t j = 0; j < tokens; ++j)
      sum += weights[j] * *reinterpret_cast<const Block*>(values + j * columns + c);
    *reinterpret_cast<Block*>(out + c) = sum;
  }
}

}  // namespace

void HeadCache::put(int64_t place, const float* key, const float* value) {
  float* block = keys_ + place / kKeyBlock * size_ * kKeyBlock + place % kKeyBlock;
  for (int64_t c = 0; c < size_; ++c) block[c * kKeyBlock] = key[c];
  float* row = values_ + place * padded_columns(size_);
  std::fill(std::copy_n(value, size_, row), row + padded_columns(size_), 0.0f);
}

void HeadCache::scores(int64_t tokens, const float* query, float* scores) const {
  block_scores((tokens + kKeyBlock - 1) / kKeyBlock, size_, query, keys_, scores);
}

void HeadCache::weigh(int64_t tokens, const float* weights, float* out) const {
  weigh_values(tokens, padded_columns(size_), weights, values_, out);
}

}  // namespace kdbench
