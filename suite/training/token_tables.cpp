// SPDX-License-Identifier: MIT
#include "suite/training/token_tables.h"

#include <algorithm>

namespace kdbench {

TokenTable token_table(const Segment& segment) {
  return {segment.offset, segment.shape[0], segment.shape[1], segment.decay};
}

std::vector<TokenTable> token_tables(const ParameterLayout& layout) {
  std::vector<TokenTable> tables;
  for (const auto& segment : layout.segments()) {
    if (segment.token_table) tables.push_back(token_table(segment));
  }
  return tables;
}

std::vector<FlatSpan> row_spans(const TokenTable& table, const std::vector<int64_t>& rows) {
  std::vector<FlatSpan> spans;
  spans.reserve(rows.size());
  for (const int64_t row : rows) spans.push_back(table.span(row));
  return spans;
}

std::vector<FlatSpan> counted_spans(const TokenTable& table, const std::vector<int64_t>* tokens,
                                    const RankPart& part) {
  const int64_t rows = tokens ? static_cast<int64_t>(tokens->size()) : table.rows;
  const int64_t first = rows * part.rank / part.size, end = rows * (part.rank + 1) / part.size;
  if (!tokens)
    return cut_range(table.begin + first * table.width, table.begin + end * table.width,
                     table.decay);
  return row_spans(table, {tokens->begin() + first, tokens->begin() + end});
}

std::vector<int64_t> distinct_tokens(const Dataset& data, const std::vector<int64_t>& rows) {
  std::vector<int64_t> ids;
  for (const int64_t row : rows) {
    const auto tokens = data.tokens(row);
    ids.insert(ids.end(), tokens.begin(), tokens.end());
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace kdbench
