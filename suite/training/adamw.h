// SPDX-License-Identifier: MIT
// AdamW (Loshchilov and Hutter 2019) on flat buffers, with clipping by the global norm: g <- g
// min(1, clip/(norm + 1e-6)), p <- p (1 - lr wd), p <- p - lr m_hat / (sqrt(v_hat) + eps).
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "suite/training/adam_moments.h"
#include "suite/training/flat_buffer.h"
#include "suite/training/late_rows.h"
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
  // kTensorOps: whole-buffer tensor operations, for any device.
  enum class Path { kFused, kTensorOps };
  AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path);

  double step(Parameters& parameters, double learning_rate) override;
  double step(Parameters& parameters, double learning_rate,
              const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters, const std::vector<int64_t>& tokens) override;
  void settle(Parameters& parameters) override;

 private:
  AdamWStep next_step(double norm, double learning_rate);
  // Returns the numbers of the step by which the spans were moved, and their gradients' norm.
  std::pair<AdamWStep, double> step_spans(Parameters& parameters, double learning_rate,
                                          const std::vector<FlatSpan>& spans);
  void update_fused(Parameters& parameters, const AdamWStep& step,
                    const std::vector<FlatSpan>& spans);
  LateRows<AdamWFactors>::Idle idle(Parameters& parameters);
  void update_by_tensor_ops(Parameters& parameters, const AdamWStep& step);

  OptimizerSettings settings_;
  Path path_;
  int64_t steps_ = 0;
  at::Tensor first_, second_;                   // moments m and v, (buffer_size)
  std::vector<FlatSpan> spans_;                 // the whole buffer
  std::vector<FlatSpan> dense_spans_;           // fused path: without tables of tokens
  std::vector<LateRows<AdamWFactors>> tables_;  // fused path
  at::Tensor decay_mask_;                       // (buffer_size) of 0 and 1, tensor path
};

}  // namespace kdbench
