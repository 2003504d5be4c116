// SPDX-License-Identifier: MIT
// Vanilla knowledge distillation from a frozen teacher's logits (Hinton et al. 2015, arXiv
// 1503.02531): alpha T^2 KL(p_t || p_s) + (1 - alpha) CE, both means over the batch. Scores (STS-B)
// have no probabilities to soften: there the soft term is the squared error to the teacher's score.
#pragma once

#include "methods/method.h"

namespace kdbench {

// "alpha" and "temperature".
std::vector<OptionSpec> kd_options();

// alpha * soft + (1 - alpha) * the task's own loss; `soft` alone of rows without labels. The terms
// are named "ce" or "mse", and "kd".
Loss soft_and_hard_loss(double alpha, const at::Tensor& soft, const at::Tensor& logits,
                        const Batch& batch);

// The method itself; `from_assistant`: the logits are those of [assistant].
std::unique_ptr<Method> make_kd(const Options& options, bool from_assistant = false);

}  // namespace kdbench
