// SPDX-License-Identifier: MIT
// Gradients that travel: bucket by bucket, by a reduce-scatter each; rows of tables by themselves,
// to all ranks, each of which moves them in its own copy.
#pragma once

#include <memory>
#include <vector>

#include "suite/training/backward_watch.h"
#include "suite/training/gradient_reducer.h"

namespace kdbench {

class TravelReducer : public GradientReducer {
 public:
  // Both must outlive this. Local.
  TravelReducer(Parameters& parameters, Collectives& collectives, const GradientTravel& travel);

  RankPart part() const override { return {collectives_.rank(), collectives_.size()}; }
  void before_backward() override;
  void reduce(const std::vector<int64_t>& tokens) override;
  void share_values() override;

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
  const GradientTravel travel_;
  std::vector<Bucket> buckets_;
  size_t started_ = 0;                    // buckets of this step, in order
  std::unique_ptr<BackwardWatch> watch_;  // when they start during backward
};

}  // namespace kdbench
