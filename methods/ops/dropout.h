// SPDX-License-Identifier: MIT
// Keyed dropout: an element is kept when its random word (seed, step, row id, place, position)
// reaches the threshold. Masks are drawn again in backward instead of being stored.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "methods/ops/philox_words.h"
#include "methods/ops/rng.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

// One site of a model. `place` numbers the sites; probability 0 turns it off.
struct Dropout {
  double probability = 0.0;  // in [0, 1)
  RandomKey key;
  uint32_t place = 0;

  bool active() const { return probability > 0.0; }
  // Kept: word >= threshold. 0 keeps everything.
  uint32_t threshold() const { return static_cast<uint32_t>(probability * 0x1p32); }
  double scale() const { return 1.0 / (1.0 - probability); }  // of what is kept
  PhiloxStream stream(int64_t row_id, int64_t first_block) const {
    return {key, place, static_cast<uint32_t>(row_id), static_cast<uint32_t>(first_block)};
  }
};

// Factors (T, width): 0 where dropped, scale() where kept. Token t of a row draws the blocks from
// position * philox_blocks(width). The reference works on any device.
at::Tensor dropout_factors(const Dropout& dropout, const TokenRows& rows, int64_t width);
at::Tensor dropout_factors_reference(const Dropout& dropout, const TokenRows& rows, int64_t width);

// Factors (b, heads, L, L) of attention probabilities, L = rows.longest, 0 outside a row. Head h of
// a row of n tokens draws the blocks from h * philox_blocks(n * n); its element (i, j) is word i *
// n + j.
at::Tensor attention_dropout_factors_reference(const Dropout& dropout, const TokenRows& rows,
                                               int64_t heads);

// x (T, width) times the factors; x itself when inactive.
at::Tensor dropout(const at::Tensor& x, const Dropout& dropout, const TokenRows& rows);

}  // namespace kdbench
