// SPDX-License-Identifier: MIT
#include "tests/methods/example/hint.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "io/base/error.h"
#include "methods/registry.h"
#include "tests/methods/op_check.h"

namespace kdbench::hint_test {
namespace {

using ::testing::HasSubstr;
using testing::Tensors;
using Values = std::map<std::string, OptionValue>;

std::unique_ptr<Method> hint(Values changed = {}) {
  const MethodEntry entry = hint_entry();
  for (const auto& spec : entry.options) changed.try_emplace(spec.name, spec.fallback);
  return entry.make(Options(std::move(changed)));
}

ModelShapes shapes(int64_t teacher_layers, int64_t student_layers) {
  ModelShapes shapes;
  shapes.student.layers = student_layers;
  shapes.student.hidden = 16;
  shapes.teacher = ModelConfig{};
  shapes.teacher->layers = teacher_layers;
  shapes.teacher->hidden = 24;
  return shapes;
}

std::string problem(Values changed, const ModelShapes& shapes) {
  try {
    hint(std::move(changed))->validate(shapes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// By hand: errors (1, -2), (0, 3) over B = 4 rows and C = 2.
TEST(Hint, LogitErrorIsAMeanOverRowsAndClasses) {
  const at::Tensor student = at::tensor({1.0, 2.0, 3.0, 4.0}, at::kDouble).view({2, 2});
  const at::Tensor teacher = at::tensor({0.0, 4.0, 3.0, 1.0}, at::kDouble).view({2, 2});
  EXPECT_DOUBLE_EQ(logit_error(student, teacher, 4).item<double>(), 14.0 / 8);
}

// By hand: W = (2, 1) makes 4, 5 | 1 of rows of two tokens and one; the teacher has 3, 5 | -1.
TEST(Hint, ErrorIsAMeanOverARowsTokensThenOverRows) {
  const at::Tensor student = at::tensor({1., 2., 2., 1., 0., 1.}, at::kDouble).view({3, 2});
  const at::Tensor teacher = at::tensor({3., 5., -1.}, at::kDouble).view({3, 1});
  const at::Tensor projection = at::tensor({2., 1.}, at::kDouble).view({1, 2});
  const at::Tensor offsets = at::tensor({0, 2, 3}, at::kLong);
  EXPECT_DOUBLE_EQ(hint_error(student, teacher, projection, offsets, 2).item<double>(),
                   (1.0 / 2 + 4.0) / 2);
  // A share of a batch of 8 rows, and one without rows.
  EXPECT_DOUBLE_EQ(hint_error(student, teacher, projection, offsets, 8).item<double>(), 4.5 / 8);
  EXPECT_EQ(hint_error(student.narrow(0, 0, 0), teacher.narrow(0, 0, 0), projection,
                       offsets.narrow(0, 0, 1), 8)
                .item<double>(),
            0.0);
}

TEST(Hint, GradientsAgreeWithFiniteDifferences) {
  const at::Tensor teacher = testing::numbers({5, 3}, 0.3).to(at::kDouble).set_requires_grad(true);
  const at::Tensor offsets = at::tensor({0, 3, 5}, at::kLong);
  testing::expect_differentiates(
      [&](const Tensors& x) { return hint_error(x[0], teacher, x[1], offsets, 4); },
      {testing::numbers({5, 4}), testing::numbers({3, 4}, 0.9)});
  testing::expect_differentiates([&](const Tensors& x) { return logit_error(x[0], teacher, 7); },
                                 {testing::numbers({5, 3})});
  EXPECT_FALSE(teacher.grad().defined());
}

TEST(Hint, AsksForTheMiddleOrTheNamedLayer) {
  EXPECT_THAT(hint()->teacher_needs(shapes(12, 6)).hidden_layers, ::testing::ElementsAre(6));
  EXPECT_THAT(hint({{"teacher_layer", int64_t{3}}})->teacher_needs(shapes(12, 6)).hidden_layers,
              ::testing::ElementsAre(3));
  const auto extra = hint()->extra_parameters(shapes(12, 6));
  ASSERT_EQ(extra.size(), 1U);
  EXPECT_THAT(extra[0].shape, ::testing::ElementsAre(24, 16));
  EXPECT_EQ(extra[0].deviation, 0.25);
}

TEST(Hint, RefusesLayersThatAreNotThere) {
  EXPECT_EQ(problem({}, shapes(12, 6)), "");
  EXPECT_THAT(problem({{"teacher_layer", int64_t{13}}}, shapes(12, 6)),
              HasSubstr("teacher_layer: names layer 13, there are 12"));
  EXPECT_THAT(problem({{"student_layer", int64_t{7}}}, shapes(12, 6)), HasSubstr("there are 6"));
  ModelShapes alone = shapes(12, 6);
  alone.teacher.reset();
  EXPECT_THAT(problem({}, alone), HasSubstr("teacher's depth"));
}

TEST(AddMethod, RefusesANameThatIsThere) {
  const size_t methods = all_methods().size();
  EXPECT_THROW(add_method(find_method("kd")), std::logic_error);
  EXPECT_EQ(all_methods().size(), methods);
}

}  // namespace
}  // namespace kdbench::hint_test
