// SPDX-License-Identifier: MIT
// Knows during a backward pass which ranges of the flat gradient buffer it has finished. Autograd
// visits a leaf when all of its uses have been, also where an operation has added the gradient
// itself (methods/ops/parameter_gradient.h).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "methods/models/parameters.h"
#include "suite/training/gradient_buckets.h"

namespace kdbench {

class BackwardWatch {
 public:
  // `on_progress` is called whenever a range may have been finished, on the thread that backward
  // runs on. `parameters` must outlive this.
  BackwardWatch(const Parameters& parameters, const std::vector<FlatRange>& ranges,
                std::function<void()> on_progress);
  ~BackwardWatch();
  BackwardWatch(const BackwardWatch&) = delete;
  BackwardWatch& operator=(const BackwardWatch&) = delete;

  // Around the pass that is watched: a leaf is finished once in it.
  void begin();
  void end();
  // All leaves of the range have been visited since begin().
  bool finished(size_t range) const { return left_[range] == 0; }

 private:
  struct Leaf;
  void visit(const Leaf& leaf);

  std::vector<std::unique_ptr<Leaf>> leaves_;
  std::vector<int64_t> leaves_of_, left_;  // of each range
  std::function<void()> on_progress_;
  bool active_ = false;
};

}  // namespace kdbench
