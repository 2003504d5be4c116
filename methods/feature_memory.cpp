// SPDX-License-Identifier: MIT
// |x - c|^2 is compared as |c|^2 - 2 <x, c>, in float64: centroids that were just drawn are about
// equally far from a row, and float32 would let the place of a row in its batch, so the number of
// ranks, decide between some.
#include "methods/feature_memory.h"

#include <algorithm>
#include <cmath>

#include "methods/ops/flat_rows.h"
#include "methods/ops/rng.h"

namespace kdbench {
namespace {

// Adds `count` floats.
void add_floats(const float* values, int64_t count, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += values[i];
}

void add_squares(const float* values, int64_t count, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(values[i]) * values[i];
}

}  // namespace

MemoryTrainer::MemoryTrainer(int64_t centroids, int64_t positions, int64_t hidden, uint64_t seed)
    : hidden_(hidden),
      width_(positions * hidden),
      seed_(seed),
      centroids_(at::zeros({centroids, width_}, at::kFloat)) {}

void MemoryTrainer::begin_pass() {
  const int64_t centroids = centroids_.size(0);
  sums_ = at::zeros({drawn_ ? centroids * width_ + centroids : 2 * width_ + 1}, at::kDouble);
}

void MemoryTrainer::add(const Ragged& states) {
  if (states.offsets.size(0) < 2) return;
  drawn_ ? add_to_nearest(states) : add_moments(states);
}

void MemoryTrainer::add_moments(const Ragged& states) {
  const at::Tensor values = states.values.contiguous();
  const int64_t* offsets = states.offsets.const_data_ptr<int64_t>();
  double* sums = sums_.mutable_data_ptr<double>();
  const int64_t rows = states.offsets.size(0) - 1;
  for (int64_t row = 0; row < rows; ++row) {
    const float* feature = values.const_data_ptr<float>() + offsets[row] * hidden_;
    const int64_t count = (offsets[row + 1] - offsets[row]) * hidden_;
    add_floats(feature, count, sums);
    add_squares(feature, count, sums + width_);
  }
  sums[2 * width_] += static_cast<double>(rows);
}

at::Tensor MemoryTrainer::nearest(const Ragged& states) const {
  const FlatRows rows(states.offsets, at::kCPU);
  const at::Tensor arranged = rows.arrange(states.values).to(at::kDouble);
  const at::Tensor norms = at::linalg_vector_norm(centroids_, 2, {1}, false, at::kDouble);
  at::Tensor scores = norms.square().repeat({rows.rows(), 1});
  for (const auto& block : rows.blocks()) {
    const at::Tensor centroids =
        centroids_.narrow(1, block.position * hidden_, block.positions * hidden_);
    scores.narrow(0, 0, block.rows)
        .addmm_(FlatRows::part(arranged, block), centroids.to(at::kDouble).t(), 1.0, -2.0);
  }
  at::Tensor chosen = at::empty({rows.rows()}, at::kLong);
  for (int64_t place = 0; place < rows.rows(); ++place) {
    // argmin() may take any of equals.
    const double* begin = scores.const_data_ptr<double>() + place * scores.size(1);
    chosen.mutable_data_ptr<int64_t>()[rows.row_at(place)] =
        std::min_element(begin, begin + scores.size(1)) - begin;
  }
  return chosen;
}

void MemoryTrainer::add_to_nearest(const Ragged& states) {
  const at::Tensor values = states.values.contiguous();
  const at::Tensor chosen = nearest({values, states.offsets});
  const int64_t* offsets = states.offsets.const_data_ptr<int64_t>();
  double* sums = sums_.mutable_data_ptr<double>();
  double* counts = sums + centroids_.numel();
  for (int64_t row = 0; row < chosen.size(0); ++row) {
    const int64_t centroid = chosen.const_data_ptr<int64_t>()[row];
    add_floats(values.const_data_ptr<float>() + offsets[row] * hidden_,
               (offsets[row + 1] - offsets[row]) * hidden_, sums + centroid * width_);
    counts[centroid] += 1;
  }
}

void MemoryTrainer::end_pass() {
  drawn_ ? move() : draw();
  drawn_ = true;
  sums_ = at::Tensor();
}

void MemoryTrainer::draw() {
  const double* sums = sums_.const_data_ptr<double>();
  const double rows = std::max(sums[2 * width_], 1.0);
  float* values = centroids_.mutable_data_ptr<float>();
  fill_normal(seed_, "memory", 1.0, values, centroids_.numel());
  for (int64_t i = 0; i < centroids_.numel(); ++i) {
    const double mean = sums[i % width_] / rows;
    const double variance = std::max(sums[width_ + i % width_] / rows - mean * mean, 0.0);
    values[i] = static_cast<float>(mean + std::sqrt(variance) * values[i]);
  }
}

void MemoryTrainer::move() {
  const double* sums = sums_.const_data_ptr<double>();
  const double* counts = sums + centroids_.numel();
  float* values = centroids_.mutable_data_ptr<float>();
  for (int64_t i = 0; i < centroids_.numel(); ++i) {
    const double count = counts[i / width_];
    if (count > 0) values[i] = static_cast<float>(sums[i] / count);
  }
}

}  // namespace kdbench
