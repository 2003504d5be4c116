// SPDX-License-Identifier: MIT
// BertAdam, the optimizer of the first BERT programs and of PKD's: Adam without bias correction,
// clipping tensor by tensor. g <- g min(1, clip/(|g| + 1e-6)) for each named tensor, p <- p - lr (m
// / (sqrt(v) + 1e-6) + wd p).
#pragma once

#include <vector>

#include "suite/training/flat_buffer.h"
#include "suite/training/optimizer.h"

namespace kdbench {

class BertAdam : public Optimizer {
 public:
  BertAdam(const OptimizerSettings& settings, const Parameters& parameters);

  // Returns the global norm, although the clipping is by tensor.
  double step(Parameters& parameters, double learning_rate) override;

 private:
  // One named tensor of the buffer.
  struct Piece {
    int64_t begin = 0, size = 0;
    bool decay = true;
    std::vector<FlatSpan> spans;
  };
  double norm_of(const at::Tensor& gradients, const Piece& piece) const;
  void update(Parameters& parameters, const Piece& piece, double scale, double learning_rate);

  OptimizerSettings settings_;
  at::Tensor first_, second_;  // moments m and v, (buffer_size)
  std::vector<Piece> pieces_;
};

}  // namespace kdbench
