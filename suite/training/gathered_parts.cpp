// SPDX-License-Identifier: MIT
#include "suite/training/gathered_parts.h"

#include <algorithm>
#include <vector>

#include "suite/training/token_tables.h"

namespace kdbench {
namespace {

void gather_bucket(const at::Tensor& buffer, const FlatRange& bucket, Collectives& collectives) {
  std::vector<at::Tensor> parts;
  for (const auto& range : split_range(bucket, collectives.size()))
    parts.push_back(buffer.narrow(0, range.begin, range.size()));
  collectives.allgather(parts);
}

// Ranks move every so-manieth row.
void gather_rows(const at::Tensor& buffer, const TokenTable& table, Collectives& collectives) {
  const at::Tensor rows =
      buffer.narrow(0, table.begin, table.rows * table.width).view({table.rows, table.width});
  std::vector<at::Tensor> views, parts;
  for (int64_t rank = 0; rank < collectives.size(); ++rank) {
    views.push_back(rows.slice(0, std::min(rank, table.rows), table.rows, collectives.size()));
    parts.push_back(views.back().clone(at::MemoryFormat::Contiguous));
  }
  collectives.allgather(parts);
  for (size_t i = 0; i < views.size(); ++i) views[i].copy_(parts[i]);
}

}  // namespace

void gather_parts(const at::Tensor& buffer, const ParameterLayout& layout, const RankPart& part,
                  Collectives& collectives) {
  if (part.size == 1) return;
  const at::NoGradGuard no_grad;
  for (const auto& bucket : gradient_buckets(layout, buffer.device().type()))
    gather_bucket(buffer, bucket, collectives);
  if (!part.one_copy) return;  // then each rank has moved all rows
  for (const auto& table : token_tables(layout, part)) gather_rows(buffer, table, collectives);
}

}  // namespace kdbench
