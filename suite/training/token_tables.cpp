// SPDX-License-Identifier: MIT
#include "suite/training/token_tables.h"

#include <algorithm>
#include <numeric>

namespace kdbench {

namespace {

// One a row, of those that this rank moves.
std::vector<FlatSpan> row_spans(const TokenTable& table, const int64_t* begin, const int64_t* end) {
  std::vector<FlatSpan> spans;
  spans.reserve(static_cast<size_t>(end - begin));
  for (const int64_t* row = begin; row < end; ++row) {
    if (table.part.moves_row(*row)) spans.push_back(table.span(*row));
  }
  return spans;
}

}  // namespace

TokenTable token_table(const Segment& segment, const RankPart& part) {
  return {segment.offset, segment.shape[0], segment.shape[1], segment.decay, part};
}

std::vector<TokenTable> token_tables(const ParameterLayout& layout, const RankPart& part) {
  std::vector<TokenTable> tables;
  for (const auto& segment : layout.segments()) {
    if (segment.token_table) tables.push_back(token_table(segment, part));
  }
  return tables;
}

std::vector<FlatSpan> moved_spans(const TokenTable& table, const std::vector<int64_t>* tokens) {
  if (tokens) return row_spans(table, tokens->data(), tokens->data() + tokens->size());
  const FlatRange whole = table.range();
  if (!table.part.one_copy) return cut_range(whole.begin, whole.end, table.decay);
  std::vector<int64_t> rows(static_cast<size_t>(table.rows));
  std::iota(rows.begin(), rows.end(), 0);
  return row_spans(table, rows.data(), rows.data() + rows.size());
}

std::vector<FlatSpan> counted_spans(const TokenTable& table, const std::vector<int64_t>* tokens) {
  const RankPart& part = table.part;
  if (part.one_copy) return moved_spans(table, tokens);  // no other rank has their sums
  const int64_t rows = tokens ? static_cast<int64_t>(tokens->size()) : table.rows;
  const int64_t first = rows * part.rank / part.size, end = rows * (part.rank + 1) / part.size;
  if (tokens) return row_spans(table, tokens->data() + first, tokens->data() + end);
  return cut_range(table.begin + first * table.width, table.begin + end * table.width, table.decay);
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
