// SPDX-License-Identifier: MIT
// Ragged rows for what goes through them token by token. With rows sorted by falling length, those
// that have a token at a position are the first ones: the tokens in the order of positions are
// dense blocks, and nothing is padded.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace kdbench {

// b rows, T tokens. A row's place is its index in the order of falling length. "By steps" is the
// order of tokens by position, then by place.
class StepRows {
 public:
  // The tokens at one position: of the first `rows` places, from `first` on by steps.
  struct Step {
    int64_t rows, first;
  };

  // offsets (b + 1) int64, CPU; no row is empty. Index tensors on `device`.
  StepRows(const at::Tensor& offsets, at::Device device);

  int64_t rows() const { return first_.size(0); }
  int64_t tokens() const { return order_.size(0); }
  const std::vector<Step>& steps() const { return steps_; }
  // (T) int64: the token that stands at each index by steps.
  const at::Tensor& order() const { return order_; }
  // (b) int64, by row: where its first and last token stand by steps. The first is its place.
  const at::Tensor& first() const { return first_; }
  const at::Tensor& last() const { return last_; }
  // (T - b) int64: for the tokens by steps from the second position on, where the token before each
  // in its row stands.
  const at::Tensor& before() const { return before_; }

 private:
  std::vector<Step> steps_;
  at::Tensor order_, first_, last_, before_;
};

}  // namespace kdbench
