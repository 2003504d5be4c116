// SPDX-License-Identifier: MIT
#include "methods/ops/token_rows.h"

#include <algorithm>

namespace kdbench {

TokenRows make_token_rows(const at::Tensor& offsets, const at::Tensor& row_ids, at::Device device) {
  TokenRows rows;
  rows.offsets = offsets.contiguous();
  rows.row_ids = row_ids.contiguous();
  const int64_t* starts = rows.offsets.const_data_ptr<int64_t>();
  const int64_t* ids = rows.row_ids.const_data_ptr<int64_t>();
  const int64_t tokens = starts[rows.rows()];
  at::Tensor row = at::empty({tokens}, at::kLong), row_id = at::empty({tokens}, at::kLong);
  at::Tensor position = at::empty({tokens}, at::kLong);
  auto *row_data = row.mutable_data_ptr<int64_t>(), *id_data = row_id.mutable_data_ptr<int64_t>();
  auto* position_data = position.mutable_data_ptr<int64_t>();
  for (int64_t r = 0; r < rows.rows(); ++r) {
    rows.longest = std::max(rows.longest, starts[r + 1] - starts[r]);
    for (int64_t t = starts[r]; t < starts[r + 1]; ++t) {
      row_data[t] = r;
      id_data[t] = ids[r];
      position_data[t] = t - starts[r];
    }
  }
  rows.row = row.to(device);
  rows.row_id = row_id.to(device);
  rows.position = position.to(device);
  return rows;
}

TokenRows some_tokens(const TokenRows& rows, const at::Tensor& index) {
  TokenRows some;
  some.offsets = at::searchsorted(index.to(at::kCPU), rows.offsets);
  some.row_ids = rows.row_ids;
  some.row = rows.row.index_select(0, index);
  some.row_id = rows.row_id.index_select(0, index);
  some.position = rows.position.index_select(0, index);
  if (rows.rows() > 0) some.longest = some.offsets.diff().max().item<int64_t>();
  return some;
}

TokenRows first_tokens(const TokenRows& rows) {
  return make_token_rows(at::arange(rows.rows() + 1, at::kLong), rows.row_ids, rows.row.device());
}

at::Tensor first_tokens(const at::Tensor& tokens, const TokenRows& rows) {
  const at::Tensor starts = rows.offsets.narrow(0, 0, rows.rows());
  return tokens.index_select(0, starts.to(tokens.device()));
}

}  // namespace kdbench
