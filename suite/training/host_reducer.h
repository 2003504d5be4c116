// SPDX-License-Identifier: MIT
// Gradients and values in memory that the ranks of one host share. Nothing travels: each rank adds
// up what it moves where the others' gradients lie, and moves the one copy of the values.
#pragma once

#include <memory>
#include <vector>

#include "suite/ranks/host_blocks.h"
#include "suite/training/gradient_reducer.h"
#include "suite/training/moved_spans.h"

namespace kdbench {

class HostReducer : public GradientReducer {
 public:
  // While it lives, the values of all ranks are rank 0's: nobody may write them but an optimizer of
  // part(), between reduce() and share_values() or before share_settled(). Both must outlive this.
  // Collective, where share_host(); a lack of memory is a machine error on all ranks.
  HostReducer(Parameters& parameters, const Control& control);
  // Local: leaves each rank a copy of the values.
  ~HostReducer() override;

  RankPart part() const override { return {control_.rank(), control_.size(), true}; }
  void reduce(const std::vector<int64_t>& tokens) override;
  void share_values() override;
  void share_settled() override;

 private:
  Parameters& parameters_;
  const Control& control_;
  MovedSpans moved_;
  std::vector<std::shared_ptr<HostMemory>> gradients_;  // by rank
};

}  // namespace kdbench
