// SPDX-License-Identifier: MIT
// Sums a model's gradients over the ranks: its flat buffer bucket by bucket, each rank the parts
// that its optimizer moves; and of tables of tokens the rows that the step touches, which every
// rank knows from the global batch, on all of them.
#pragma once

#include <memory>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/ranks/collectives.h"
#include "suite/training/backward_watch.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

class GradientReducer {
 public:
  // How gradients travel.
  struct Travel {
    at::ScalarType type = at::kFloat;  // kBFloat16: rounded to it, and added in it
    // Buckets start while backward is still at work, as soon as it has finished their gradients. On
    // the CPU, where nobody but the rank's own threads would carry them, it gains nothing.
    bool during_backward = false;
  };

  // Both must outlive this.
  GradientReducer(Parameters& parameters, Collectives& collectives, const Travel& travel);

  // Before the last backward pass of a step.
  void before_backward();
  // From the gradients of each rank to their sums: in this rank's parts of the buckets (own_ranges)
  // and in the rows of `tokens`, the distinct ones of the global batch, the same on all ranks. The
  // other ranks' parts become zero. Collective.
  void reduce(const std::vector<int64_t>& tokens);
  // Brings each rank's parts of the values to all ranks. Collective.
  void share_values();

 private:
  struct Bucket {
    FlatRange range;
    std::vector<FlatRange> parts;               // of the ranks
    at::Tensor wire;                            // what travels: gradients, or a rounded copy
    std::unique_ptr<PendingCollective> moving;  // while it does
  };
  void start(Bucket& bucket);
  void finish(Bucket& bucket);
  void start_finished_ones();
  void reduce_rows(const std::vector<int64_t>& tokens);
  at::Tensor for_travel(const at::Tensor& tensor) const;

  Parameters& parameters_;
  Collectives& collectives_;
  const Travel travel_;
  std::vector<Bucket> buckets_;
  size_t started_ = 0;                    // buckets of this step, in order
  std::unique_ptr<BackwardWatch> watch_;  // when they start during backward
};

}  // namespace kdbench
