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

  FlatRange range() const { return {begin, begin + rows * width}; }
  FlatSpan span(int64_t row) const {
    return {begin + row * width, begin + (row + 1) * width, decay};
  }
};

TokenTable token_table(const Segment& segment);
std::vector<TokenTable> token_tables(const ParameterLayout& layout);
// One span a row.
std::vector<FlatSpan> row_spans(const TokenTable& table, const std::vector<int64_t>& rows);

// The spans of the rows whose gradients this rank counts: each row is counted by one. Without
// tokens, of all rows.
std::vector<FlatSpan> counted_spans(const TokenTable& table, const std::vector<int64_t>* tokens,
                                    const RankPart& part);

// The distinct tokens of `rows` of `data`, ascending.
std::vector<int64_t> distinct_tokens(const Dataset& data, const std::vector<int64_t>& rows);

}  // namespace kdbench
