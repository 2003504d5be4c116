// SPDX-License-Identifier: MIT
// How an operation is tested: fast form against reference, values and gradients; reference against
// finite differences.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "methods/ops/token_rows.h"

namespace kdbench::testing {

using Tensors = std::vector<at::Tensor>;
using Op = std::function<at::Tensor(const Tensors&)>;

inline TokenRows rows_of(const std::vector<int64_t>& lengths, std::vector<int64_t> ids = {}) {
  std::vector<int64_t> offsets = {0};
  for (size_t r = 0; r < lengths.size(); ++r) {
    offsets.push_back(offsets.back() + lengths[r]);
    if (ids.size() <= r) ids.push_back(static_cast<int64_t>(10 * r + 3));
  }
  return make_token_rows(at::tensor(offsets, at::kLong), at::tensor(ids, at::kLong), at::kCPU);
}

// Deterministic numbers of about unit size.
inline at::Tensor numbers(at::IntArrayRef shape, double phase = 0.0) {
  const int64_t count = c10::multiply_integers(shape);
  const at::Tensor index = at::arange(count, at::kDouble);
  return ((index * 12.9898 + phase).sin() * 437.585).frac().mul(2).to(at::kFloat).view(shape);
}

inline double largest(const at::Tensor& x) {
  return x.numel() == 0 ? 0.0 : x.abs().max().item<double>();
}

inline void expect_close(const at::Tensor& actual, const at::Tensor& expected, double tolerance,
                         const std::string& what) {
  ASSERT_TRUE(actual.sizes() == expected.sizes()) << what << actual.sizes() << expected.sizes();
  const double error = largest(actual.to(at::kDouble) - expected.to(at::kDouble));
  EXPECT_LE(error, tolerance * std::max(1.0, largest(expected.to(at::kDouble)))) << what;
}

// Leaves with copies of `values`; with `gradient`, .grad() starts there (as in a model), else
// undefined.
inline Tensors leaves_of(const Tensors& values, double gradient, bool defined) {
  Tensors leaves;
  for (const auto& value : values) {
    at::Tensor leaf = value.clone().set_requires_grad(true);
    if (defined) leaf.mutable_grad() = at::full_like(value, gradient);
    leaves.push_back(leaf);
  }
  return leaves;
}

// A scalar that weighs every output differently.
inline at::Tensor weigh(const at::Tensor& y) {
  return (y * numbers(y.sizes(), 0.7).to(y.scalar_type())).sum();
}

// Both with gradients that are there before (they must be added to) and without.
inline void expect_same(const Op& fast, const Op& reference, const Tensors& inputs,
                        double tolerance) {
  Tensors expected = leaves_of(inputs, 0.0, false);
  const at::Tensor y = reference(expected);
  weigh(y).backward();
  for (const bool defined : {false, true}) {
    const double before = 0.5;
    Tensors actual = leaves_of(inputs, before, defined);
    const at::Tensor fast_y = fast(actual);
    expect_close(fast_y, y, tolerance, "output");
    weigh(fast_y).backward();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const at::Tensor gradient = defined ? actual[i].grad() - before : actual[i].grad();
      expect_close(gradient, expected[i].grad(), tolerance, "gradient " + std::to_string(i));
    }
  }
}

// Gradients of `op` in double against central differences, for up to `samples` elements of each
// input.
inline void expect_differentiates(const Op& op, const Tensors& inputs, int64_t samples = 12) {
  Tensors doubles;
  for (const auto& input : inputs) doubles.push_back(input.to(at::kDouble));
  Tensors leaves = leaves_of(doubles, 0.0, false);
  weigh(op(leaves)).backward();
  const at::NoGradGuard no_gradients;
  constexpr double kStep = 1e-6;
  for (size_t i = 0; i < doubles.size(); ++i) {
    at::Tensor flat = doubles[i].view({-1});
    const int64_t stride = std::max<int64_t>(1, flat.numel() / samples);
    for (int64_t e = 0; e < flat.numel(); e += stride) {
      const double value = flat[e].item<double>();
      flat[e].fill_(value + kStep);
      const double above = weigh(op(doubles)).item<double>();
      flat[e].fill_(value - kStep);
      const double below = weigh(op(doubles)).item<double>();
      flat[e].fill_(value);
      const double slope = (above - below) / (2 * kStep);
      EXPECT_NEAR(leaves[i].grad().view({-1})[e].item<double>(), slope,
                  1e-6 * std::max(1.0, std::abs(slope)))
          << "input " << i << " element " << e;
    }
  }
}

}  // namespace kdbench::testing
