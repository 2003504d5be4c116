// SPDX-License-Identifier: MIT
#include "suite/training/backward_watch.h"

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/utils/lambda_post_hook.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace kdbench {

using torch::autograd::variable_list;

// A leaf of the graph: the node that autograd visits for it, and the ranges that it lies in.
struct BackwardWatch::Leaf {
  std::shared_ptr<torch::autograd::Node> node;
  uintptr_t hook = 0;
  std::vector<size_t> ranges;
};

BackwardWatch::BackwardWatch(const Parameters& parameters, const std::vector<FlatRange>& ranges,
                             std::function<void()> on_progress)
    : leaves_of_(ranges.size(), 0), left_(ranges.size(), 0), on_progress_(std::move(on_progress)) {
  for (const auto& leaf : parameters.leaves()) {
    const int64_t begin = leaf.storage_offset(), end = begin + leaf.numel();
    auto watched = std::make_unique<Leaf>();
    for (size_t range = 0; range < ranges.size(); ++range) {
      if (begin >= ranges[range].end || end <= ranges[range].begin) continue;
      watched->ranges.push_back(range);
      ++leaves_of_[range];
    }
    watched->node = torch::autograd::impl::grad_accumulator(leaf);
    const auto visited = [this, seen = watched.get()](const variable_list& out,
                                                      const variable_list&) {
      visit(*seen);
      return out;
    };
    watched->hook = watched->node->add_post_hook(
        std::make_unique<torch::autograd::utils::LambdaPostHook>(visited));
    leaves_.push_back(std::move(watched));
  }
}

BackwardWatch::~BackwardWatch() {
  for (const auto& leaf : leaves_) leaf->node->del_post_hook(leaf->hook);
}

void BackwardWatch::begin() {
  left_ = leaves_of_;
  active_ = true;
}

void BackwardWatch::end() { active_ = false; }

void BackwardWatch::visit(const Leaf& leaf) {
  if (!active_) return;
  for (const size_t range : leaf.ranges) --left_[range];
  on_progress_();
}

}  // namespace kdbench
