// SPDX-License-Identifier: MIT
// AdamW (Loshchilov and Hutter 2019) on flat buffers, with clipping by the global norm: g <- g
// min(1, clip/(norm + 1e-6)), p <- p (1 - lr wd), p <- p - lr m_hat / (sqrt(v_hat) + eps).
#pragma once

#include <cstdint>
#include <vector>

#include "suite/training/flat_buffer.h"
#include "suite/training/optimizer.h"

namespace kdbench {

// The numbers of one step.
struct AdamWStep {
  double scale = 1.0;       // of the gradients (clipping)
  double shrink = 1.0;      // 1 - lr wd
  double rate = 0.0;        // lr / (1 - beta1^t)
  double correction = 1.0;  // 1 / sqrt(1 - beta2^t)
};

class AdamW : public Optimizer {
 public:
  // kFused: two passes over CPU buffers. kTensorOps: whole-buffer tensor operations, for any
  // device.
  enum class Path { kFused, kTensorOps };
  AdamW(const OptimizerSettings& settings, const Parameters& parameters, Path path);

  double step(Parameters& parameters, double learning_rate) override;

 private:
  AdamWStep next_step(double norm, double learning_rate);
  void update_fused(Parameters& parameters, const AdamWStep& step);
  void update_by_tensor_ops(Parameters& parameters, const AdamWStep& step);

  OptimizerSettings settings_;
  Path path_;
  int64_t steps_ = 0;
  at::Tensor first_, second_;    // moments m and v, (buffer_size)
  std::vector<FlatSpan> spans_;  // fused path
  at::Tensor decay_mask_;        // (buffer_size) of 0 and 1, tensor path
};

}  // namespace kdbench
