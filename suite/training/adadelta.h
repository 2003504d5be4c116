// SPDX-License-Identifier: MIT
// AdaDelta (Zeiler 2012, arXiv 1212.5701) on flat buffers, in PyTorch's form, with clipping by the
// global norm: g <- g min(1, clip/(norm + 1e-6)) + wd p, a <- rho a + (1 - rho) g^2, d = sqrt(s +
// eps) / sqrt(a + eps) g, s <- rho s + (1 - rho) d^2, p <- p - lr d.
#pragma once

#include <vector>

#include "suite/training/late_rows.h"
#include "suite/training/moved_spans.h"
#include "suite/training/optimizer.h"

namespace kdbench {

// The numbers of one step, as the loops need them.
struct AdaDeltaFactors {
  float scale, rate, decay, rho, rest;
};

class AdaDelta : public Optimizer {
 public:
  AdaDelta(const OptimizerSettings& settings, const Parameters& parameters,
           const RankPart& part = {});

  at::Tensor squares(const Parameters& parameters, TouchedTokens tokens) const override {
    return moved_.squares(parameters.gradients(), tokens);
  }
  // On the CPU of tables the rows of the tokens; elsewhere the whole tables are moved.
  void apply(Parameters& parameters, double learning_rate, const std::vector<double>& squares,
             double gradient_scale, TouchedTokens tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;
  std::vector<at::Tensor> moments() override { return {squares_, moves_}; }

 private:
  AdaDeltaFactors factors(double scale, double learning_rate, bool decay) const;
  void update_fused(Parameters& parameters, double scale, double learning_rate,
                    const std::vector<FlatSpan>& spans);
  void update_by_tensor_ops(Parameters& parameters, double scale, double learning_rate,
                            const std::vector<FlatSpan>& spans);

  OptimizerSettings settings_;
  MovedSpans moved_;
  at::Tensor squares_, moves_;      // a and s, (buffer_size)
  std::vector<TokenTable> tables_;  // on the CPU
  LateRows<AdaDeltaFactors> late_;  // of these
};

}  // namespace kdbench
