// SPDX-License-Identifier: MIT
// BertAdam, the optimizer of the first BERT programs and of PKD's: Adam without bias correction,
// clipping tensor by tensor. g <- g min(1, clip/(|g| + 1e-6)) for each named tensor, p <- p - lr (m
// / (sqrt(v) + 1e-6) + wd p).
#pragma once

#include <optional>
#include <vector>

#include "suite/training/adam_moments.h"
#include "suite/training/flat_buffer.h"
#include "suite/training/late_rows.h"
#include "suite/training/optimizer.h"

namespace kdbench {

struct BertAdamFactors {
  MomentFactors moments;
  float rate, decay;
};

class BertAdam : public Optimizer {
 public:
  BertAdam(const OptimizerSettings& settings, const Parameters& parameters);

  // Returns the global norm, although the clipping is by tensor.
  double step(Parameters& parameters, double learning_rate) override;
  double step(Parameters& parameters, double learning_rate,
              const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;

 private:
  // One named tensor of the buffer.
  struct Piece {
    int64_t begin = 0, size = 0;
    bool decay = true;
    std::vector<FlatSpan> spans;
    std::optional<LateRows<BertAdamFactors>> late;  // of a table of tokens, on the CPU
  };
  // `tokens`: null where every row may have a gradient.
  double step_pieces(Parameters& parameters, double learning_rate,
                     const std::vector<int64_t>* tokens);
  double norm_of(const at::Tensor& gradients, const Piece& piece,
                 const std::vector<FlatSpan>& spans) const;
  void update(Parameters& parameters, const Piece& piece, const std::vector<FlatSpan>& spans,
              double scale, double learning_rate);
  BertAdamFactors factors_of(const Piece& piece, double scale, double learning_rate) const;
  LateRows<BertAdamFactors>::Idle idle(Parameters& parameters);

  OptimizerSettings settings_;
  at::Tensor first_, second_;  // moments m and v, (buffer_size)
  std::vector<Piece> pieces_;
};

}  // namespace kdbench
