// SPDX-License-Identifier: MIT
// Where each token of a ragged batch stands: the one thing that operations on the (T tokens, H)
// matrix must know of rows.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace kdbench {

// b rows, T tokens. All tensors int64.
struct TokenRows {
  at::Tensor offsets;   // (b + 1), CPU: row r has the tokens offsets[r] .. offsets[r + 1] - 1
  at::Tensor row_ids;   // (b), CPU: what keys a row's random numbers
  at::Tensor row;       // (T): index of the token's row in this batch
  at::Tensor row_id;    // (T): row_ids[row]
  at::Tensor position;  // (T): index of the token in its row
  int64_t longest = 0;  // tokens of the longest row

  int64_t rows() const { return row_ids.size(0); }
  int64_t tokens() const { return row.size(0); }
};

// Per-token tensors on `device`.
TokenRows make_token_rows(const at::Tensor& offsets, const at::Tensor& row_ids, at::Device device);

// The tokens `index` of them, (n) int64 and ascending, alone: random draws of these stay what they
// were.
TokenRows some_tokens(const TokenRows& rows, const at::Tensor& index);
// The same rows with their first token alone: random draws of that token stay what they were.
TokenRows first_tokens(const TokenRows& rows);
// (T, H) -> (b, H): the first token of each row. No row may be empty.
at::Tensor first_tokens(const at::Tensor& tokens, const TokenRows& rows);

}  // namespace kdbench
