// SPDX-License-Identifier: MIT
// Sums a model's gradients over the ranks and brings the values that they have moved together: each
// rank's optimizer moves its part of the buckets (gradient_buckets.h), and of tables of tokens the
// rows that the step touches, which every rank knows from the global batch.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/ranks/collectives.h"
#include "suite/ranks/control.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

// How gradients travel, where they do.
struct GradientTravel {
  at::ScalarType type = at::kFloat;  // kBFloat16: rounded to it, and added in it
  // Buckets start while backward is still at work, as soon as it has finished their gradients. On
  // the CPU, where nobody but the rank's own threads would carry them, it gains nothing.
  bool during_backward = false;
};

class GradientReducer {
 public:
  virtual ~GradientReducer() = default;
  GradientReducer(const GradientReducer&) = delete;
  GradientReducer& operator=(const GradientReducer&) = delete;

  // What this rank's optimizer is to move.
  virtual RankPart part() const = 0;
  // Before the last backward pass of a step.
  virtual void before_backward() {}
  // From the gradients of each rank to their sums, added in order of rank: in what this rank moves,
  // of tables in the rows of `tokens`, the distinct ones of the global batch, the same on all
  // ranks. The rest of the gradients becomes zero. Collective.
  virtual void reduce(const std::vector<int64_t>& tokens) = 0;
  // Brings what each rank has moved to all ranks. Collective.
  virtual void share_values() = 0;
  // The same of rows of tables that the optimizers have settled. Collective.
  virtual void share_settled() {}

 protected:
  GradientReducer() = default;
};

// Where all ranks are on one host, a HostReducer; elsewhere, and where the host lacks memory to
// share (`obstacle` then hears why), a TravelReducer; of one rank alone, none of both: nothing is
// done. All must outlive it. Collective.
std::unique_ptr<GradientReducer> make_gradient_reducer(
    Parameters& parameters, const Control& control, Collectives& collectives,
    const GradientTravel& travel,
    const std::function<void(const std::string& obstacle)>& obstacle = nullptr);

}  // namespace kdbench
