// SPDX-License-Identifier: MIT
#include "methods/models/parameters.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "io/base/error.h"

namespace kdbench::parameters_test {
namespace {

bool no_bias(const std::string& name) { return !name.ends_with("bias"); }

ParameterLayout small_layout() {
  ParameterLayout layout(no_bias);
  layout.add("embedding.weight", {5, 3});  // 15 floats
  layout.add("LayerNorm.weight", {3});
  layout.add_stacked({"q.weight", "k.weight", "v.weight"}, {3, 3});  // 27 floats
  layout.add_stacked({"q.bias", "k.bias", "v.bias"}, {3});           // 9 floats
  layout.freeze();
  return layout;
}

TEST(ParameterLayout, StandsInReverseOrderOfUseAlignedTo64Bytes) {
  const ParameterLayout layout = small_layout();
  const std::vector<std::pair<std::string, int64_t>> expected{{"q.bias", 0},
                                                              {"k.bias", 3},
                                                              {"v.bias", 6},
                                                              {"q.weight", 16},
                                                              {"k.weight", 25},
                                                              {"v.weight", 34},
                                                              {"LayerNorm.weight", 48},
                                                              {"embedding.weight", 64}};
  ASSERT_EQ(layout.segments().size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(layout.segments()[i].name, expected[i].first);
    EXPECT_EQ(layout.segments()[i].offset, expected[i].second) << expected[i].first;
  }
  EXPECT_EQ(layout.buffer_size(), 80);
  EXPECT_EQ(layout.parameter_count(), 54);
}

TEST(ParameterLayout, ItsRuleSaysWhatDecays) {
  const ParameterLayout layout = small_layout();
  EXPECT_TRUE(layout.segment("embedding.weight").decay);
  EXPECT_TRUE(layout.segment("k.weight").decay);
  EXPECT_FALSE(layout.segment("k.bias").decay);
  EXPECT_TRUE(layout.segment("LayerNorm.weight").decay);
  ParameterLayout plain;
  plain.add("bias", {2});
  plain.freeze();
  EXPECT_TRUE(plain.segment("bias").decay);
}

TEST(ParameterLayout, MisuseIsALogicError) {
  ParameterLayout layout;
  layout.add("a", {2});
  EXPECT_THROW(layout.add("a", {2}), std::logic_error);
  EXPECT_THROW(layout.add("scalar", {}), std::logic_error);
  EXPECT_THROW(Parameters(layout, at::kCPU), std::logic_error);
  layout.freeze();
  EXPECT_THROW(layout.add("b", {2}), std::logic_error);
  EXPECT_THROW(layout.segment("b"), std::logic_error);
}

TEST(Parameters, LeavesAreViewsOfTheFlatBuffers) {
  Parameters parameters(small_layout(), at::kCPU);
  EXPECT_EQ(parameters.values().abs().sum().item<float>(), 0.0F);
  const at::Tensor& leaf = parameters["embedding.weight"];
  EXPECT_EQ(leaf.sizes(), (at::IntArrayRef{5, 3}));
  EXPECT_TRUE(leaf.is_leaf() && leaf.requires_grad());
  EXPECT_EQ(leaf.data_ptr<float>(), parameters.values().data_ptr<float>() + 64);
  EXPECT_EQ(leaf.grad().data_ptr<float>(), parameters.gradients().data_ptr<float>() + 64);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(parameters.values().data_ptr()) % 64, 0U);
  EXPECT_THROW(parameters["nothing"], std::logic_error);
}

TEST(Parameters, StackedBlockIsOneLeaf) {
  Parameters parameters(small_layout(), at::kCPU);
  const at::Tensor& stacked = parameters.stacked("q.weight");
  EXPECT_EQ(stacked.sizes(), (at::IntArrayRef{9, 3}));
  EXPECT_EQ(parameters.stacked("q.bias").sizes(), (at::IntArrayRef{9}));
  EXPECT_TRUE(stacked.requires_grad() && stacked.grad().defined());
  EXPECT_FALSE(parameters["k.weight"].requires_grad());
  parameters["k.weight"].fill_(2.0F);
  EXPECT_EQ(stacked.detach().slice(0, 3, 6).sum().item<float>(), 18.0F);
  EXPECT_EQ(stacked.detach().sum().item<float>(), 18.0F);
  EXPECT_THROW(parameters.stacked("k.weight"), std::logic_error);
  EXPECT_TRUE(parameters.stacked("embedding.weight").is_same(parameters["embedding.weight"]));
}

// Plain operations, used twice: y = sum(x W^T + b) with x of ones, so dW = 2 rows and db = 2 rows.
TEST(Parameters, AutogradAccumulatesIntoTheFlatBufferInPlace) {
  Parameters parameters(small_layout(), at::kCPU);
  const at::Tensor& weight = parameters.stacked("q.weight");
  const at::Tensor& bias = parameters.stacked("q.bias");
  const void* const memory = weight.grad().data_ptr();
  const at::Tensor x = at::ones({2, 3});
  for (int pass = 1; pass <= 2; ++pass) {
    at::linear(x, weight, bias).sum().backward();
    EXPECT_EQ(weight.grad().data_ptr(), memory);
    const at::Tensor flat = parameters.gradients();
    EXPECT_TRUE(flat.narrow(0, 16, 27).eq(2.0F * pass).all().item<bool>());
    EXPECT_TRUE(flat.narrow(0, 0, 9).eq(2.0F * pass).all().item<bool>());
    EXPECT_EQ(flat.sum().item<float>(), 36 * 2.0F * pass);  // gaps stay 0
  }
  parameters.zero_gradients();
  EXPECT_EQ(weight.grad().data_ptr(), memory);
  EXPECT_EQ(weight.grad().abs().sum().item<float>(), 0.0F);
}

TEST(Parameters, TensorsAreCopies) {
  Parameters parameters(small_layout(), at::kCPU);
  const TensorMap tensors = parameters.to_tensors();
  parameters.values().fill_(1.0F);
  EXPECT_EQ(tensors.size(), 8U);
  EXPECT_EQ(tensors.at("v.bias").sizes(), (at::IntArrayRef{3}));
  EXPECT_EQ(tensors.at("embedding.weight").sum().item<float>(), 0.0F);
}

TEST(LoadParameters, CopiesConvertsAndReports) {
  Parameters parameters(small_layout(), at::kCPU);
  const TensorMap tensors{{"k.bias", at::full({3}, 1.5, at::kHalf)},
                          {"embedding.weight", at::arange(15, at::kDouble).view({3, 5}).t()},
                          {"position_ids", at::zeros({1})}};
  const LoadReport report = load_parameters(parameters, tensors, "folder");
  EXPECT_EQ(report.unexpected, (std::vector<std::string>{"position_ids"}));
  EXPECT_EQ(report.missing, (std::vector<std::string>{"q.bias", "v.bias", "q.weight", "k.weight",
                                                      "v.weight", "LayerNorm.weight"}));
  EXPECT_TRUE(at::equal(parameters["k.bias"], at::full({3}, 1.5F)));
  EXPECT_EQ(parameters["embedding.weight"][1][0].item<float>(), 1.0F);
  EXPECT_EQ(parameters["embedding.weight"][0][2].item<float>(), 10.0F);
}

TEST(LoadParameters, AValueThatIsNotFiniteIsAUserError) {
  ParameterLayout layout;
  layout.add("a.weight", {2, 2});
  layout.freeze();
  for (const at::Device device : {at::Device(at::kCPU), at::Device(at::kMeta)}) {
    Parameters parameters(layout, device);
    load_parameters(parameters, {{"a.weight", at::ones({2, 2})}}, "the file");
    try {
      load_parameters(parameters, {{"a.weight", at::full({2, 2}, NAN)}}, "the file");
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kUserInput);
      EXPECT_NE(std::string(error.what()).find("the file: tensor a.weight holds NaN or infinity"),
                std::string::npos)
          << error.what();
    }
  }
}

TEST(LoadParameters, AShapeThatDiffersIsAUserErrorAndNothingIsCopied) {
  Parameters parameters(small_layout(), at::kCPU);
  const TensorMap tensors{{"k.bias", at::ones({3})}, {"q.weight", at::ones({3, 4})}};
  try {
    load_parameters(parameters, tensors, "bert-base");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUserInput);
    EXPECT_STREQ(error.what(),
                 "bert-base: tensor q.weight has shape (3, 4), the model expects (3, 3)");
  }
  EXPECT_EQ(parameters.values().sum().item<float>(), 0.0F);
}

}  // namespace
}  // namespace kdbench::parameters_test
