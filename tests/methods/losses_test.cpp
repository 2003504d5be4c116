// SPDX-License-Identifier: MIT
#include "methods/losses.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace kdbench::losses_test {
namespace {

// The numeric example of PKD's method notes; its reduction divides by B x C, ours by B, so that its
// value doubles for two classes.
const at::Tensor kStudent =
    at::tensor({1.0, -0.5, 0.2, 0.3, -1.5, 0.7}, at::kDouble).reshape({3, 2});
const at::Tensor kTeacher =
    at::tensor({2.0, -1.0, -0.4, 0.6, -3.0, 2.5}, at::kDouble).reshape({3, 2});
const at::Tensor kLabels = at::tensor({0, 1, 0}, at::kLong);

// Central differences of `loss` at `x` against autograd.
void expect_gradient(const std::function<at::Tensor(const at::Tensor&)>& loss,
                     const at::Tensor& at) {
  const at::Tensor x = at.clone().requires_grad_(true);
  loss(x).backward();
  const double h = 1e-6;
  for (int64_t i = 0; i < x.numel(); ++i) {
    at::Tensor up = at.clone(), down = at.clone();
    up.view(-1)[i] += h;
    down.view(-1)[i] -= h;
    const double slope = (loss(up).item<double>() - loss(down).item<double>()) / (2 * h);
    EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), slope, 1e-7) << i;
  }
}

TEST(Losses, CrossEntropyOfAWorkedExample) {
  EXPECT_NEAR(cross_entropy(kStudent, kLabels, 3).item<double>(), 1.0502978, 1e-7);
}

TEST(Losses, SoftTargetDivergenceOfAWorkedExample) {
  EXPECT_NEAR(soft_target_divergence(kStudent, kTeacher, 1.0, 3).item<double>(), 0.0861161, 1e-6);
  EXPECT_NEAR(soft_target_divergence(kStudent, kTeacher, 10.0, 3).item<double>(), 0.5578870, 1e-6);
}

TEST(Losses, LogitErrorOfAWorkedExample) {
  EXPECT_NEAR(mean_logit_error(kStudent, kTeacher, 3).item<double>(), 1.1983333, 1e-7);
  EXPECT_NEAR(
      mean_logit_error(kStudent.narrow(0, 1, 2), kTeacher.narrow(0, 1, 2), 3).item<double>() +
          mean_logit_error(kStudent.narrow(0, 0, 1), kTeacher.narrow(0, 0, 1), 3).item<double>(),
      1.1983333, 1e-7);
  EXPECT_EQ(mean_logit_error(kStudent.narrow(0, 0, 0), kTeacher.narrow(0, 0, 0), 3).item<double>(),
            0.0);
}

TEST(Losses, SharesAddUpToTheGlobalMean) {
  const double whole = soft_target_divergence(kStudent, kTeacher, 2.0, 3).item<double>();
  double parts = 0.0;
  for (int64_t row = 0; row < 3; ++row) {
    parts += soft_target_divergence(kStudent.narrow(0, row, 1), kTeacher.narrow(0, row, 1), 2.0, 3)
                 .item<double>();
  }
  EXPECT_NEAR(parts, whole, 1e-12);
  EXPECT_EQ(cross_entropy(kStudent.narrow(0, 0, 0), kLabels.narrow(0, 0, 0), 3).item<double>(),
            0.0);
}

TEST(Losses, GradientsAgreeWithFiniteDifferences) {
  expect_gradient([](const at::Tensor& x) { return cross_entropy(x, kLabels, 5); }, kStudent);
  expect_gradient([](const at::Tensor& x) { return soft_target_divergence(x, kTeacher, 3.0, 5); },
                  kStudent);
  const at::Tensor scores = at::tensor({1.0, 2.5, 4.0}, at::kDouble);
  expect_gradient([&](const at::Tensor& x) { return score_error(x, scores, 5); },
                  kStudent.narrow(1, 0, 1).contiguous());
}

TEST(Losses, TheTeacherGetsNoGradient) {
  const at::Tensor teacher = kTeacher.clone().requires_grad_(true);
  const at::Tensor student = kStudent.clone().requires_grad_(true);
  soft_target_divergence(student, teacher, 2.0, 3).backward();
  EXPECT_FALSE(teacher.grad().defined());
}

TEST(Losses, ScoresAreSquaredErrors) {
  const at::Tensor logits = at::tensor({1.0, 3.0}, at::kFloat).reshape({2, 1});
  const at::Tensor scores = at::tensor({2.0, 5.0}, at::kFloat);
  EXPECT_FLOAT_EQ(score_error(logits, scores, 2).item<float>(), 2.5f);
  EXPECT_FLOAT_EQ(distillation_loss(logits, scores.reshape({2, 1}), 7.0, 2).item<float>(), 2.5f);
  EXPECT_STREQ(task_loss_name(scores), "mse");
  EXPECT_STREQ(task_loss_name(kLabels), "ce");
}

}  // namespace
}  // namespace kdbench::losses_test
