// SPDX-License-Identifier: MIT
#include "suite/training/moved_spans.h"

namespace kdbench {
namespace {

void append(std::vector<FlatSpan>& spans, const std::vector<FlatSpan>& more) {
  spans.insert(spans.end(), more.begin(), more.end());
}

}  // namespace

MovedSpans::MovedSpans(const Parameters& parameters, const RankPart& part, bool by_rows)
    : part_(part),
      by_rows_(by_rows),
      own_(own_ranges(parameters.layout(), parameters.device().type(), part)),
      dense_(by_rows ? cut_spans(parameters.layout(), own_)
                     : long_spans(parameters.layout(), own_)),
      tables_(token_tables(parameters.layout(), part)) {}

std::vector<FlatSpan> MovedSpans::spans(TouchedTokens tokens) const {
  std::vector<FlatSpan> spans = dense_;
  for (const auto& table : tables_) {
    if (by_rows_) {
      append(spans, moved_spans(table, tokens));
    } else {
      spans.push_back({table.range().begin, table.range().end, table.decay});
    }
  }
  return spans;
}

at::Tensor MovedSpans::squares(const at::Tensor& gradients, TouchedTokens tokens) const {
  const at::NoGradGuard no_grad;
  if (by_rows_) {
    std::vector<FlatSpan> spans = dense_;
    for (const auto& table : tables_) append(spans, counted_spans(table, tokens));
    return at::full({1}, flat_squares(gradients, spans), at::kDouble);
  }
  at::Tensor sum = at::zeros({1}, gradients.options().dtype(at::kDouble));
  for (const auto& range : own_) sum.add_(range_squares(gradients, range));
  for (const auto& table : tables_)
    sum.add_(range_squares(gradients, split_range(table.range(), part_.size)[part_.rank]));
  return sum;
}

}  // namespace kdbench
