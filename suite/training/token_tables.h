// SPDX-License-Identifier: MIT
// The tables of tokens in a model's flat buffer, and their rows that a step touches: those of the
// global batch's own tokens. No other row has a gradient.
#pragma once

#include <cstdint>
#include <vector>

#include "io/batches/dataset.h"
#include "suite/training/flat_buffer.h"

namespace kdbench {

struct TokenTable {
  int64_t begin = 0;  // in floats from the buffer's start
  int64_t rows = 0, width = 0;
  bool decay = true;
  RankPart part = {};  // whose rows are moved

  FlatRange range() const { return {begin, begin + rows * width}; }
  FlatSpan span(int64_t row) const {
    return {begin + row * width, begin + (row + 1) * width, decay};
  }
};

TokenTable token_table(const Segment& segment, const RankPart& part = {});
std::vector<TokenTable> token_tables(const ParameterLayout& layout, const RankPart& part = {});

// The spans of the rows that this rank moves, of those of `tokens`, one a row; without tokens, of
// all.
std::vector<FlatSpan> moved_spans(const TokenTable& table, const std::vector<int64_t>* tokens);
// The spans of the rows whose gradients this rank counts: each row is counted by one.
std::vector<FlatSpan> counted_spans(const TokenTable& table, const std::vector<int64_t>* tokens);

// The distinct tokens of `rows` of `data`, ascending.
std::vector<int64_t> distinct_tokens(const Dataset& data, const std::vector<int64_t>& rows);

}  // namespace kdbench
