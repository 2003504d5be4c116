// SPDX-License-Identifier: MIT
// The random words of one token of a (T, width) matrix, for kernels that go token by token.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/ops/dropout.h"
#include "methods/ops/row_kernels.h"

namespace kdbench {

// Holds one token's words; one object a thread.
class TokenWords {
 public:
  TokenWords(const Dropout& dropout, const TokenRows& rows, int64_t width)
      : dropout_(dropout),
        blocks_(philox_blocks(width)),
        row_id_(rows.row_id.const_data_ptr<int64_t>()),
        position_(rows.position.const_data_ptr<int64_t>()),
        words_(4 * blocks_) {
    if (dropout.active()) keep_ = {dropout.threshold(), static_cast<float>(dropout.scale())};
  }

  Keep keep() const { return keep_; }
  const uint32_t* of(int64_t token) {
    if (dropout_.active()) {
      const PhiloxStream stream = dropout_.stream(row_id_[token], position_[token] * blocks_);
      philox_words(stream, blocks_, words_.data());
    }
    return words_.data();
  }

 private:
  Dropout dropout_;
  int64_t blocks_;
  const int64_t *row_id_, *position_;
  std::vector<uint32_t> words_;
  Keep keep_;
};

}  // namespace kdbench
