// SPDX-License-Identifier: MIT
#include "methods/losses.h"

#include <ATen/ATen.h>

namespace kdbench {

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, int64_t global_rows) {
  const at::Tensor picked = at::log_softmax(logits, 1).gather(1, labels.unsqueeze(1));
  return picked.sum() * (-1.0 / static_cast<double>(global_rows));
}

at::Tensor score_error(const at::Tensor& logits, const at::Tensor& scores, int64_t global_rows) {
  const at::Tensor error = logits.reshape({-1}) - scores;
  return (error * error).sum() * (1.0 / static_cast<double>(global_rows));
}

at::Tensor task_loss(const at::Tensor& logits, const at::Tensor& labels, int64_t global_rows) {
  return at::isFloatingType(labels.scalar_type()) ? score_error(logits, labels, global_rows)
                                                  : cross_entropy(logits, labels, global_rows);
}

const char* task_loss_name(const at::Tensor& labels) {
  return at::isFloatingType(labels.scalar_type()) ? "mse" : "ce";
}

at::Tensor soft_target_divergence(const at::Tensor& student, const at::Tensor& teacher,
                                  double temperature, int64_t global_rows) {
  const at::Tensor log_student = at::log_softmax(student / temperature, 1);
  const at::Tensor log_teacher = at::log_softmax(teacher.detach() / temperature, 1);
  const at::Tensor divergence = (log_teacher.exp() * (log_teacher - log_student)).sum();
  return divergence * (temperature * temperature / static_cast<double>(global_rows));
}

at::Tensor mean_logit_error(const at::Tensor& student, const at::Tensor& teacher,
                            int64_t global_rows) {
  const at::Tensor error = student - teacher.detach();
  return (error * error).sum() * (1.0 / static_cast<double>(global_rows * student.size(1)));
}

at::Tensor distillation_loss(const at::Tensor& student, const at::Tensor& teacher,
                             double temperature, int64_t global_rows) {
  return student.size(1) == 1 ? score_error(student, teacher.detach().reshape({-1}), global_rows)
                              : soft_target_divergence(student, teacher, temperature, global_rows);
}

}  // namespace kdbench
