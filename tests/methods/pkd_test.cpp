// SPDX-License-Identifier: MIT
#include "methods/pkd.h"

#include <gtest/gtest.h>

#include <cmath>

#include "io/base/error.h"
#include "methods/registry.h"

namespace kdbench::pkd_test {
namespace {

using Layers = std::vector<int64_t>;

ModelShapes shapes(int64_t teacher_layers, int64_t student_layers, int64_t student_hidden = 8) {
  ModelShapes shapes;
  shapes.student.layers = student_layers;
  shapes.student.hidden = student_hidden;
  shapes.teacher = ModelConfig{};
  shapes.teacher->layers = teacher_layers;
  shapes.teacher->hidden = 8;
  return shapes;
}

std::unique_ptr<Method> pkd(OptionValue layers, double beta = 500.0) {
  const MethodEntry& entry = find_method("pkd");
  std::map<std::string, OptionValue> values;
  for (const auto& spec : entry.options) values[spec.name] = spec.fallback;
  values["layers"] = std::move(layers);
  values["beta"] = beta;
  return entry.make(Options(values));
}

// What is wrong, or "" when nothing is.
std::string problem(OptionValue layers, const ModelShapes& shapes) {
  try {
    pkd(std::move(layers))->validate(shapes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Pkd, PairsThePublishedLayers) {
  EXPECT_EQ(patient_layers("skip", 12, 6), (Layers{2, 4, 6, 8, 10}));
  EXPECT_EQ(patient_layers("last", 12, 6), (Layers{7, 8, 9, 10, 11}));
  EXPECT_EQ(patient_layers("skip", 12, 3), (Layers{4, 8}));
  EXPECT_EQ(patient_layers("last", 12, 3), (Layers{10, 11}));
  EXPECT_EQ(patient_layers("auto", 12, 6), patient_layers("skip", 12, 6));
  EXPECT_EQ(patient_layers("auto", 12, 3), patient_layers("last", 12, 3));
  EXPECT_EQ(patient_layers("skip", 24, 6), (Layers{4, 8, 12, 16, 20}));
  EXPECT_EQ(patient_layers("last", 4, 4), (Layers{1, 2, 3}));
}

TEST(Pkd, AListIsTakenAsItIs) {
  EXPECT_EQ(pkd(Layers{11, 3})->teacher_needs(shapes(12, 3)).cls_layers, (Layers{11, 3}));
  EXPECT_EQ(problem(Layers{11, 3}, shapes(12, 3)), "");
}

TEST(Pkd, RefusesDepthsAndWidthsThatDoNotFit) {
  EXPECT_NE(problem(std::string("skip"), shapes(12, 5)).find("they are 12 and 5"),
            std::string::npos);
  EXPECT_EQ(problem(std::string("last"), shapes(12, 5)), "");
  EXPECT_NE(problem(std::string("last"), shapes(3, 6)).find("the teacher has 3 layers"),
            std::string::npos);
  EXPECT_NE(problem(Layers{4}, shapes(12, 3)).find("names 1 teacher layers"), std::string::npos);
  EXPECT_NE(problem(Layers{4, 13}, shapes(12, 3)).find("layer 13, the teacher has 12"),
            std::string::npos);
  EXPECT_NE(problem(std::string("last"), shapes(12, 1)).find("at least 2 layers"),
            std::string::npos);
  EXPECT_NE(problem(std::string("last"), shapes(12, 3, 16)).find("the student's 16"),
            std::string::npos);
  ModelShapes alone = shapes(12, 3);
  alone.teacher.reset();
  EXPECT_NE(problem(std::string("last"), alone).find("teacher's depth"), std::string::npos);
}

TEST(Pkd, WithoutPatienceAsksForLogitsAlone) {
  const auto method = pkd(std::string("skip"), 0.0);
  const TeacherNeeds needs = method->teacher_needs(shapes(12, 5, 16));
  EXPECT_TRUE(needs.logits);
  EXPECT_TRUE(needs.cls_layers.empty());
  EXPECT_NO_THROW(method->validate(shapes(12, 5, 16)));
}

// By hand: differences (1, -2), (0, 3) over B = 2, K = 1, H = 2.
TEST(Pkd, PatienceIsAMeanOverElements) {
  const at::Tensor student = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble).reshape({2, 1, 2});
  const at::Tensor teacher = at::tensor({0.0, 4.0, 3.0, 1.0}, at::kDouble).reshape({2, 1, 2});
  EXPECT_DOUBLE_EQ(patience_loss(student, teacher, false, 2).item<double>(), 14.0 / 4);
  // A share of a global batch of 8 rows.
  EXPECT_DOUBLE_EQ(patience_loss(student, teacher, false, 8).item<double>(), 14.0 / 16);
  EXPECT_EQ(patience_loss(student.narrow(0, 0, 0), teacher.narrow(0, 0, 0), true, 8).item<double>(),
            0.0);
}

// |u - v|^2 = 2 - 2 cos for unit vectors; opposite ones give the largest value, 4 / H.
TEST(Pkd, NormalizedPatienceSeesAnglesAlone) {
  const at::Tensor a = at::tensor({3.0, 4.0}, at::kDouble).reshape({1, 1, 2});
  const at::Tensor b = at::tensor({8.0, 6.0}, at::kDouble).reshape({1, 1, 2});
  EXPECT_NEAR(patience_loss(a, b, true, 1).item<double>(), (2 - 2 * 0.96) / 2, 1e-12);
  EXPECT_NEAR(patience_loss(a, -10 * a, true, 1).item<double>(), 2.0, 1e-12);
  EXPECT_TRUE(std::isfinite(patience_loss(at::zeros_like(a), b, true, 1).item<double>()));
}

TEST(Pkd, PatienceGradientsAgreeWithFiniteDifferences) {
  const at::Tensor at_point = at::randn({3, 2, 4}, at::kDouble);
  const at::Tensor teacher = at::randn({3, 2, 4}, at::kDouble).requires_grad_(true);
  for (const bool normalize : {false, true}) {
    const at::Tensor x = at_point.clone().requires_grad_(true);
    patience_loss(x, teacher, normalize, 5).backward();
    for (int64_t i = 0; i < x.numel(); ++i) {
      at::Tensor up = at_point.clone(), down = at_point.clone();
      up.view(-1)[i] += 1e-6;
      down.view(-1)[i] -= 1e-6;
      const double slope = (patience_loss(up, teacher, normalize, 5).item<double>() -
                            patience_loss(down, teacher, normalize, 5).item<double>()) /
                           2e-6;
      EXPECT_NEAR(x.grad().view(-1)[i].item<double>(), slope, 1e-7) << normalize << " " << i;
    }
  }
  EXPECT_FALSE(teacher.grad().defined());
}

}  // namespace
}  // namespace kdbench::pkd_test
