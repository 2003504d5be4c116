// SPDX-License-Identifier: MIT
// Two trainings of the same steps, for instance on other numbers of ranks, agree.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "suite/training/trainer.h"

namespace kdbench::testing {

inline void expect_near(double actual, double expected, double relative, const std::string& what) {
  EXPECT_NEAR(actual, expected, relative * std::abs(expected) + 1e-5) << what;
}

// Losses and terms to 1e-4, norms of gradients to 1e-3. `where`: " of step 3".
inline void expect_same_update(const UpdateRecord& actual, const UpdateRecord& expected,
                               const std::string& where) {
  expect_near(actual.loss, expected.loss, 1e-4, "loss" + where);
  expect_near(actual.grad_norm, expected.grad_norm, 1e-3, "norm" + where);
  ASSERT_EQ(actual.terms.size(), expected.terms.size());
  for (size_t t = 0; t < actual.terms.size(); ++t) {
    EXPECT_EQ(actual.terms[t].first, expected.terms[t].first);
    expect_near(actual.terms[t].second, expected.terms[t].second, 1e-4,
                actual.terms[t].first + where);
  }
}

}  // namespace kdbench::testing
