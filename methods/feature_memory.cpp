// SPDX-License-Identifier: MIT
// |x - c|^2 is compared as |c|^2 - 2 <x, c>. The inner products of a batch are one GEMM a position
// with the rows that reach it, so that the zeros behind a row's end cost nothing.
#include "methods/feature_memory.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "methods/rng.h"

namespace kdbench {
namespace {

// Adds `count` floats.
void add_floats(const float* values, int64_t count, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += values[i];
}

void add_squares(const float* values, int64_t count, double* sums) {
  for (int64_t i = 0; i < count; ++i) sums[i] += static_cast<double>(values[i]) * values[i];
}

// The rows of a batch, the longest first.
std::vector<int64_t> longest_first(const int64_t* offsets, int64_t rows) {
  std::vector<int64_t> order(static_cast<size_t>(rows));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return offsets[a + 1] - offsets[a] > offsets[b + 1] - offsets[b];
  });
  return order;
}

}  // namespace

MemoryTrainer::MemoryTrainer(int64_t centroids, int64_t positions, int64_t hidden, uint64_t seed)
    : positions_(positions),
      hidden_(hidden),
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
  const int64_t* offsets = states.offsets.const_data_ptr<int64_t>();
  const int64_t rows = states.offsets.size(0) - 1;
  const std::vector<int64_t> order = longest_first(offsets, rows);
  std::vector<int64_t> begins;
  for (const int64_t row : order) begins.push_back(offsets[row]);
  const at::Tensor first = at::tensor(begins, at::kLong);
  const at::Tensor by_position = centroids_.view({-1, positions_, hidden_});
  at::Tensor products = at::zeros({rows, centroids_.size(0)}, at::kFloat);
  int64_t reach = rows;  // the rows with a token at this position: the first ones
  for (int64_t position = 0; position < positions_; ++position) {
    while (reach > 0 && offsets[order[reach - 1] + 1] - offsets[order[reach - 1]] <= position) {
      --reach;
    }
    if (reach == 0) break;
    const at::Tensor tokens = states.values.index_select(0, first.narrow(0, 0, reach) + position);
    products.narrow(0, 0, reach).addmm_(tokens, by_position.select(1, position).t());
  }
  const at::Tensor squares = centroids_.square().sum(1);
  // argmin() may take any of equals.
  const at::Tensor scores = squares.unsqueeze(0) - 2 * products;
  const float* score = scores.const_data_ptr<float>();
  at::Tensor chosen = at::empty({rows}, at::kLong);
  for (int64_t i = 0; i < rows; ++i) {
    const float* begin = score + i * scores.size(1);
    chosen.mutable_data_ptr<int64_t>()[order[i]] =
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
