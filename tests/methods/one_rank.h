// SPDX-License-Identifier: MIT
// A world of one rank, for losses over the whole batch.
#pragma once

#include "methods/method.h"

namespace kdbench::testing {

class OneRank : public GlobalBatch {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  at::Tensor gather(const at::Tensor& rows, int64_t* first) override {
    *first = 0;
    return rows.detach();
  }
  void sum(const at::Tensor&) override {}
};

}  // namespace kdbench::testing
