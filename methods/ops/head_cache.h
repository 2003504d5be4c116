// SPDX-License-Identifier: MIT
// Keys and values of the tokens that one head has read, and the attention of one query to them.
// Keys stand by blocks of tokens, channel by channel, so that scores of a block are one vector.
#pragma once

#include <cstdint>

#include "methods/ops/small_gemm.h"

namespace kdbench {

// Tokens of a block of keys.
inline constexpr int64_t kKeyBlock = kGemmColumns;

// Over memory of floats(size, tokens) floats of any values; owns nothing.
class HeadCache {
 public:
  // size: channels of the head, d. tokens: room, which is a multiple of kKeyBlock.
  HeadCache(float* memory, int64_t size, int64_t tokens)
      : keys_(memory), values_(memory + size * tokens), size_(size) {}

  static int64_t floats(int64_t size, int64_t tokens) {
    return tokens * (size + padded_columns(size));
  }

  // Of token `place`; key and value (d).
  void put(int64_t place, const float* key, const float* value);
  // scores[j] = query . key j for j < tokens; what stands behind them in the last block is
  // anything.
  void scores(int64_t tokens, const float* query, float* scores) const;
  // out (padded d) = sum over j < tokens of weights[j] value j.
  void weigh(int64_t tokens, const float* weights, float* out) const;

 private:
  float* keys_;    // (tokens / kKeyBlock, d, kKeyBlock)
  float* values_;  // (tokens, padded d)
  int64_t size_;
};

}  // namespace kdbench
