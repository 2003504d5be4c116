// SPDX-License-Identifier: MIT
// Trains the teacher's memory of FSD: K centroids of its features over the training rows. A row's
// feature is its tokens' states, flattened token-major to max_seq_length * H, with zeros behind the
// row's end; the zeros are never written out. The first pass takes mean and variance of each
// dimension, from which the centroids are drawn; each further pass is one iteration of Lloyd.
//
// What a pass adds up are sums over rows, so that shares of rows may be worked on anywhere and
// their sums be added before the pass ends.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

#include "io/batches/batch.h"

namespace kdbench {

class MemoryTrainer {
 public:
  // `positions`: max_seq_length. `seed` keys the draw.
  MemoryTrainer(int64_t centroids, int64_t positions, int64_t hidden, uint64_t seed);

  // Begins with sums of zero.
  void begin_pass();
  // Adds rows of float32 states (tokens, H) on the CPU, none of them longer than `positions`.
  void add(const Ragged& states);
  // Of this share in the pass: float64, 1-D, on the CPU. To be summed over the shares, in place.
  at::Tensor& sums() { return sums_; }
  // Takes the sums of all rows: the first pass draws the centroids, the others move each to the
  // mean of the rows nearest to it (Euclidean; the first of equals). One without rows stays.
  void end_pass();

  const at::Tensor& centroids() const { return centroids_; }  // (K, positions * H) float32

 private:
  void add_moments(const Ragged& states);
  void add_to_nearest(const Ragged& states);
  void draw();
  void move();
  at::Tensor nearest(const Ragged& states) const;

  int64_t hidden_, width_;
  uint64_t seed_;
  bool drawn_ = false;
  at::Tensor centroids_;
  at::Tensor sums_;  // first pass: sums, sums of squares, rows; then: K sums, rows of each
};

}  // namespace kdbench
