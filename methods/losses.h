// SPDX-License-Identifier: MIT
// Losses as free functions. b rows of this share, B = `global_rows` rows of the global batch. Each
// returns this share's part of a mean over the global batch (a 0-dimensional float32 tensor): parts
// of ranks and micro-batches add up.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace kdbench {

// -(1/B) sum_b log softmax(logits_b)[labels_b].  logits (b, C), labels (b) int64.
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t global_rows);

// (1/B) sum_b (logits_b - scores_b)^2.  logits (b, 1) or (b), scores (b) float32.
at::Tensor score_error(const at::Tensor& logits, const at::Tensor& scores, int64_t global_rows);

// The task's own loss: cross_entropy for int64 labels, score_error for float32 scores.
at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& labels, int64_t global_rows);
// "ce" or "mse": the name of task_loss's term.
const char* task_loss_name(const at::Tensor& labels);

// T^2 (1/B) sum_b sum_c p_t (log p_t - log p_s), p = softmax(./T) (Hinton et al. 2015; FSD's and
// kd's reduction). student, teacher (b, C); no gradient flows to the teacher.
at::Tensor soft_target_divergence(const at::Tensor& student, const at::Tensor& teacher,
                                  double temperature, int64_t global_rows);

// (1/(B C)) sum_b sum_c (s - z)^2: squared error of logits. student, teacher (b, C); no gradient
// flows to the teacher.
at::Tensor mean_logit_error(const at::Tensor& student, const at::Tensor& teacher,
                            int64_t global_rows);

// What a student learns from a teacher's logits (b, C): soft_target_divergence, or for scores (C =
// 1) score_error.
at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             double temperature, int64_t global_rows);

}  // namespace kdbench
