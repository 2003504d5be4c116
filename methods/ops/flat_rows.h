// SPDX-License-Identifier: MIT
// Ragged rows as vectors: each row's (tokens, H) values one after another, zeros behind its end.
// The zeros are never stored: with rows sorted by falling length, the positions between two
// successive lengths form one dense matrix of the first rows, so that products of all rows are a
// few plain GEMMs.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace kdbench {

// b rows, T tokens. A row's place is its index in the order of falling length.
class FlatRows {
 public:
  // The first `rows` places at `positions` positions from `position` on; their tokens stand from
  // `token` on in an arranged matrix.
  struct Block {
    int64_t rows, position, positions, token;
  };

  // offsets (b + 1) int64, CPU. Per-token tensors on `device`.
  FlatRows(const at::Tensor& offsets, at::Device device);

  int64_t rows() const { return static_cast<int64_t>(places_.size()); }
  const std::vector<Block>& blocks() const { return blocks_; }
  int64_t row_at(int64_t place) const { return places_[place]; }
  // Places of the rows first .. first + count - 1, rising.
  std::vector<int64_t> places_of(int64_t first, int64_t count) const;

  // (T, H), also a strided view -> (T, H) in the order of blocks.
  at::Tensor arrange(const at::Tensor& tokens) const;
  // sum += scale * what stands in `arranged`, token by token. sum (T, H).
  void add_back(at::Tensor& sum, const at::Tensor& arranged, double scale) const;
  // (rows, positions * H) of an arranged matrix.
  static at::Tensor part(const at::Tensor& arranged, const Block& block);
  // (rows, positions): which token stands where in a block.
  at::Tensor tokens_of(const Block& block) const;

 private:
  std::vector<int64_t> places_;  // row at each place
  std::vector<Block> blocks_;
  at::Tensor tokens_;  // (T) int64: token at each row of an arranged matrix
};

// (b, b) by place: inner products of all pairs of rows, of an arranged matrix.
at::Tensor flat_gram(const FlatRows& rows, const at::Tensor& arranged);

}  // namespace kdbench
