// SPDX-License-Identifier: MIT
#include <gmock/gmock.h>

#include "io/base/error.h"
#include "methods/registry.h"
#include "tests/methods/op_check.h"
#include "tests/support/tiny.h"

namespace kdbench::fsd_test {
namespace {

using ::testing::HasSubstr;
using Layers = std::vector<int64_t>;
using Values = std::map<std::string, OptionValue>;

ModelShapes shapes(int64_t teacher_layers, int64_t student_layers) {
  ModelShapes shapes;
  shapes.student.layers = student_layers;
  shapes.student.hidden = 16;
  shapes.teacher = ModelConfig{};
  shapes.teacher->layers = teacher_layers;
  shapes.teacher->hidden = 24;
  shapes.max_seq_length = 14;
  return shapes;
}

std::unique_ptr<Method> fsd(Values changed = {}) {
  const MethodEntry& entry = find_method("fsd");
  for (const auto& spec : entry.options) changed.try_emplace(spec.name, spec.fallback);
  return entry.make(Options(std::move(changed)));
}

std::string problem(Values changed, const ModelShapes& shapes) {
  try {
    fsd(std::move(changed))->validate(shapes);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Values with(const char* variant) { return {{"variant", std::string(variant)}}; }

TEST(Fsd, AsksForTheLayersBeforeTheLast) {
  const TeacherNeeds needs = fsd()->teacher_needs(shapes(12, 6));
  EXPECT_TRUE(needs.logits);
  EXPECT_EQ(needs.hidden_layers, (Layers{11}));
  EXPECT_EQ(needs.feature_memory.layer, 11);
  EXPECT_EQ(needs.feature_memory.centroids, 100);
  EXPECT_EQ(needs.feature_memory.epochs, 3);
  EXPECT_EQ(needs.feature_memory.file, "");
  EXPECT_EQ(fsd(with("IL"))->teacher_needs(shapes(12, 6)).feature_memory.centroids, 0);
  EXPECT_EQ(fsd({{"memory", std::string("/a/memory.safetensors")}})
                ->teacher_needs(shapes(12, 6))
                .feature_memory.file,
            "/a/memory.safetensors");
}

// The authors' --do_layerwise; G still takes the last but one, as the last of the stored layers.
TEST(Fsd, ListsOfLayersAreComparedInPairs) {
  Values lists{{"teacher_layers", Layers{2, 4, 6, 8, 10}},
               {"student_layers", Layers{1, 2, 3, 4, 5}}};
  EXPECT_EQ(fsd(lists)->teacher_needs(shapes(12, 6)).hidden_layers, (Layers{2, 4, 6, 8, 10, 11}));
  lists["variant"] = std::string("IL");
  EXPECT_EQ(fsd(lists)->teacher_needs(shapes(12, 6)).hidden_layers, (Layers{2, 4, 6, 8, 10}));
  EXPECT_EQ(problem(lists, shapes(12, 6)), "");
  EXPECT_THAT(problem(lists, shapes(9, 6)), HasSubstr("names layer 10, the teacher has 9"));
  EXPECT_THAT(problem(lists, shapes(12, 4)), HasSubstr("names layer 5, the student has 4"));
  lists["student_layers"] = Layers{1, 2};
  EXPECT_THAT(problem(lists, shapes(12, 6)), HasSubstr("name 5 and 2 layers"));
  lists["student_layers"] = Layers{1, 2, 3, 4, 5};
  lists["variant"] = std::string("G");
  EXPECT_THAT(problem(lists, shapes(12, 6)), HasSubstr("variant G compares"));
}

TEST(Fsd, RefusesModelsThatDoNotFit) {
  EXPECT_EQ(problem({}, shapes(2, 2)), "");
  EXPECT_THAT(problem({}, shapes(12, 1)), HasSubstr("a student of at least 2 layers"));
  EXPECT_THAT(problem({}, shapes(1, 2)), HasSubstr("a teacher of at least 2 layers"));
  ModelShapes alone = shapes(12, 6);
  alone.teacher.reset();
  EXPECT_THAT(problem({}, alone), HasSubstr("teacher's depth"));
}

TEST(Fsd, NeedsTheWholeBatchForLAndForAMeanInsideTheLogarithm) {
  EXPECT_FALSE(fsd(with("I"))->needs_whole_batch());
  EXPECT_FALSE(fsd(with("G"))->needs_whole_batch());
  EXPECT_TRUE(fsd(with("L"))->needs_whole_batch());
  EXPECT_TRUE(fsd()->needs_whole_batch());
  Values log_of_mean = with("I");
  log_of_mean["intra_reduction"] = std::string("log_of_mean");
  EXPECT_TRUE(fsd(log_of_mean)->needs_whole_batch());
}

std::unique_ptr<Model> student_with(const Method& method, const ModelShapes& shapes) {
  ModelSpec spec;
  spec.config = testing::tiny_bert(1)->config();
  spec.extra = method.extra_parameters(shapes);
  auto model = make_model(spec);
  initialize_parameters(*model, 5);
  return model;
}

TEST(Fsd, TheStudentsMemoryBeginsAtRandomOrAsGiven) {
  EXPECT_TRUE(fsd(with("IL"))->extra_parameters(shapes(4, 2)).empty());
  const auto method = fsd();
  const auto student = student_with(*method, shapes(4, 2));
  const at::Tensor memory = student->parameters()["student_memory"].detach();
  ASSERT_EQ(memory.sizes(), (at::IntArrayRef{100, 14 * 16}));
  EXPECT_NEAR(memory.mean().item<double>(), 0.0, 0.03);
  EXPECT_NEAR(memory.std().item<double>(), 1.0, 0.03);
  EXPECT_TRUE(student->parameters().layout().segment("student_memory").decay);

  FeatureMemory given{testing::numbers({100, 14 * 24}), {}};
  const at::Tensor before = memory.clone();
  method->phases({{{kStudent, student.get()}}, given}).front().begin();
  EXPECT_TRUE(at::equal(memory, before));
  given.student = testing::numbers({100, 14 * 16}, 1.0);
  const Phase phase = method->phases({{{kStudent, student.get()}}, given}).front();
  EXPECT_TRUE(at::equal(memory, before));  // described, not begun
  phase.begin();
  EXPECT_TRUE(at::equal(memory, given.student));
  given.student = testing::numbers({50, 14 * 16});
  EXPECT_THROW(method->phases({{{kStudent, student.get()}}, given}), Error);
}

}  // namespace
}  // namespace kdbench::fsd_test
