// SPDX-License-Identifier: MIT
#include "methods/annealing_kd.h"

#include <gtest/gtest.h>

#include "io/base/error.h"
#include "methods/registry.h"

namespace kdbench::annealing_kd_test {
namespace {

std::vector<double> scales(int64_t epochs, int64_t max_temperature) {
  std::vector<double> all;
  for (int64_t epoch = 0; epoch < epochs; ++epoch)
    all.push_back(annealing_scale(epoch, epochs, max_temperature));
  return all;
}

TEST(AnnealingKd, ScalesOfThePublishedRecipes) {
  std::vector<double> glue;
  for (int temperature = 1; temperature <= 7; ++temperature)
    glue.insert(glue.end(), 2, temperature / 7.0);
  EXPECT_EQ(scales(14, 7), glue);
  EXPECT_EQ(scales(3, 3), (std::vector<double>{1.0 / 3, 2.0 / 3, 1.0}));
  const auto images = scales(200, 10);
  EXPECT_EQ(images[19], 0.1);
  EXPECT_EQ(images[20], 0.2);
  EXPECT_EQ(images[199], 1.0);
}

TEST(AnnealingKd, TheScaleStaysAtOne) {
  EXPECT_EQ(scales(5, 2), (std::vector<double>{0.5, 0.5, 1.0, 1.0, 1.0}));
  EXPECT_EQ(scales(200, 7).back(), 1.0);
}

TEST(AnnealingKd, MoreTemperaturesThanEpochsAreRefused) {
  const MethodEntry& entry = find_method("annealing-kd");
  std::map<std::string, OptionValue> values;
  for (const auto& spec : entry.options) values[spec.name] = spec.fallback;
  EXPECT_NO_THROW(entry.make(Options(values))->validate({}));
  values["phase1_epochs"] = int64_t{6};
  try {
    entry.make(Options(values))->validate({});
    FAIL() << "7 temperatures in 6 epochs";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("is 7, but phase 1 has only 6 epochs"),
              std::string::npos);
  }
}

// By hand: 0.5 t = (1, -1), (2, 0); differences (0, 1), (1, -3) over B = 2, C = 2.
TEST(AnnealingKd, TheErrorIsAMeanOverElements) {
  const at::Tensor student = at::tensor({1.0, 0.0, 3.0, -3.0}, at::kDouble).reshape({2, 2});
  const at::Tensor teacher = at::tensor({2.0, -2.0, 4.0, 0.0}, at::kDouble).reshape({2, 2});
  EXPECT_DOUBLE_EQ(annealed_logit_error(student, teacher, 0.5, 2).item<double>(), 11.0 / 4);
  EXPECT_DOUBLE_EQ(annealed_logit_error(student, teacher, 0.5, 10).item<double>(), 11.0 / 20);
  // d/ds = 2 (s - scale t) / (B C), nothing to the teacher.
  const at::Tensor x = student.clone().requires_grad_(true),
                   y = teacher.clone().requires_grad_(true);
  annealed_logit_error(x, y, 0.5, 2).backward();
  EXPECT_TRUE(at::allclose(x.grad(), (student - 0.5 * teacher) / 2));
  EXPECT_FALSE(y.grad().defined());
}

}  // namespace
}  // namespace kdbench::annealing_kd_test
