// SPDX-License-Identifier: MIT
// AdamW (Loshchilov and Hutter 2019) on flat buffers, with clipping by the global norm: g <- g
// min(1, clip/(norm + 1e-6)), p <- p (1 - lr wd), p <- p - lr m_hat / (sqrt(v_hat) + eps). One
// group of gradients.
#pragma once

#include <cstdint>
#include <vector>

#include "suite/training/adam_moments.h"
#include "suite/training/flat_buffer.h"
#include "suite/training/late_rows.h"
#include "suite/training/moved_spans.h"
#include "suite/training/optimizer.h"

namespace kdbench {

// The numbers of one step.
struct AdamWStep {
  double scale = 1.0;       // of the gradients (clipping)
  double shrink = 1.0;      // 1 - lr wd
  double rate = 0.0;        // lr / (1 - beta1^t)
  double correction = 1.0;  // 1 / sqrt(1 - beta2^t)
};

// The step's numbers as the loops need them.
struct AdamWFactors {
  AdamWFactors(const OptimizerSettings& settings, const AdamWStep& step, bool decay);
  MomentFactors moments;
  float shrink, rate, correction, epsilon;
};

class AdamW : public Optimizer {
 public:
  // kFused: two passes over CPU buffers, of tables of tokens over the rows that a step touches.
  // kMultiTensor: LibTorch's kernel over all parts at once, on GPUs. kTensorOps: tensor operations,
  // for any device.
  enum class Path { kFused, kMultiTensor, kTensorOps };
  static Path path_of(at::Device device);
  AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path,
        const RankPart& part = {});

  at::Tensor squares(const Parameters& parameters, TouchedTokens tokens) const override {
    return moved_.squares(parameters.gradients(), tokens);
  }
  void apply(Parameters& parameters, double learning_rate, const std::vector<double>& squares,
             double gradient_scale, TouchedTokens tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;
  std::vector<at::Tensor> moments() override { return {first_, second_}; }
  int64_t steps() const override { return steps_; }
  void set_steps(int64_t steps) override { steps_ = steps; }

 private:
  AdamWStep next_step(double norm, double gradient_scale, double learning_rate);
  void update_fused(Parameters& parameters, const AdamWStep& step,
                    const std::vector<FlatSpan>& spans);
  void update_by_multi_tensor(Parameters& parameters, const AdamWStep& step, double learning_rate,
                              const std::vector<FlatSpan>& spans);
  void update_by_tensor_ops(Parameters& parameters, const AdamWStep& step,
                            const std::vector<FlatSpan>& spans);

  OptimizerSettings settings_;
  Path path_;
  MovedSpans moved_;
  int64_t steps_ = 0;               // that were applied
  at::Tensor first_, second_;       // moments m and v, (buffer_size)
  std::vector<TokenTable> tables_;  // fused path
  LateRows<AdamWFactors> late_;     // of these
};

}  // namespace kdbench
