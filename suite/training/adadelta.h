// SPDX-License-Identifier: MIT
// AdaDelta (Zeiler 2012, arXiv 1212.5701) on flat buffers, in PyTorch's form, with clipping by the
// global norm: g <- g min(1, clip/(norm + 1e-6)) + wd p, a <- rho a + (1 - rho) g^2, d = sqrt(s +
// eps) / sqrt(a + eps) g, s <- rho s + (1 - rho) d^2, p <- p - lr d.
#pragma once

#include <vector>

#include "suite/training/flat_buffer.h"
#include "suite/training/late_rows.h"
#include "suite/training/optimizer.h"

namespace kdbench {

// The numbers of one step, as the loops need them.
struct AdaDeltaFactors {
  float scale, rate, decay, rho, rest;
};

class AdaDelta : public Optimizer {
 public:
  AdaDelta(const OptimizerSettings& settings, const Parameters& parameters);

  double step(Parameters& parameters, double learning_rate) override;
  // On the CPU; elsewhere the whole tables are moved.
  double step(Parameters& parameters, double learning_rate,
              const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;

 private:
  AdaDeltaFactors factors(double scale, double learning_rate, bool decay) const;
  double step_spans(Parameters& parameters, double learning_rate,
                    const std::vector<FlatSpan>& spans, double* scale);
  double step_by_tensor_ops(Parameters& parameters, double learning_rate);
  LateRows<AdaDeltaFactors>::Idle idle(Parameters& parameters);

  OptimizerSettings settings_;
  at::Tensor squares_, moves_;                     // a and s, (buffer_size)
  std::vector<FlatSpan> spans_;                    // the whole buffer
  std::vector<FlatSpan> dense_spans_;              // without tables of tokens
  std::vector<LateRows<AdaDeltaFactors>> tables_;  // on the CPU
  at::Tensor decay_;                               // (buffer_size), elsewhere
};

}  // namespace kdbench
