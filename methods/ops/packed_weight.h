// SPDX-License-Identifier: MIT
// y = x W + b for few rows and a matrix that is used again and again: packed once, in panels that a
// product reads from end to end. An element of y is a sum over k in the order of k, whatever other
// rows x has and however many threads there are: a row's result is the same bits in any company.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

namespace kdbench {

class PackedWeight {
 public:
  PackedWeight() = default;
  // (in, out) float32 of any strides; a copy is made.
  explicit PackedWeight(const at::Tensor& weight);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  // x (rows, in), y (rows, out) without gaps; bias (out) or null. On all threads.
  void multiply(int64_t rows, const float* x, const float* bias, float* y) const;

 private:
  int64_t in_ = 0, out_ = 0;
  std::vector<float> panels_;  // (panels, in, kPanel): kPanel columns each, zeros behind the last
};

}  // namespace kdbench
