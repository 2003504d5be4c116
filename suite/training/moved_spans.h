// SPDX-License-Identifier: MIT
// What of a model's buffers the optimizer of one rank moves, for those that clip all gradients by
// one norm: its parts of the buckets, and of tables of tokens what a step touches.
#pragma once

#include <vector>

#include "suite/training/flat_buffer.h"
#include "suite/training/optimizer.h"
#include "suite/training/token_tables.h"

namespace kdbench {

class MovedSpans {
 public:
  // `by_rows`: spans are cut for loops of the CPU, and of a table only the rows of the step's
  // tokens are moved and counted; else spans are as long as can be, and tables whole.
  MovedSpans(const Parameters& parameters, const RankPart& part, bool by_rows);

  std::vector<FlatSpan> spans(TouchedTokens tokens) const;
  // Optimizer::squares of the one group.
  at::Tensor squares(const at::Tensor& gradients, TouchedTokens tokens) const;

 private:
  RankPart part_;
  bool by_rows_;
  std::vector<FlatRange> own_;
  std::vector<FlatSpan> dense_;  // the same, by decay
  std::vector<TokenTable> tables_;
};

}  // namespace kdbench
