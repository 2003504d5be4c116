// SPDX-License-Identifier: MIT
// Operations and a model in bfloat16 and float16 against float32 of the same rounded inputs: only
// products and what is stored between operations may be rounded.
#include <gtest/gtest.h>

#include "methods/models/model.h"
#include "methods/models/registry.h"
#include "methods/ops/attention.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/dropout_add_layer_norm.h"
#include "methods/ops/linear.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"

namespace kdbench::low_precision_test {
namespace {

using testing::expect_close;
using testing::numbers;
using testing::Tensors;

// Half of a unit in the last place, relative.
double rounding(at::ScalarType type) { return type == at::kBFloat16 ? 0x1p-9 : 0x1p-12; }

class LowPrecision : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  at::Tensor low(at::IntArrayRef shape, double phase = 0.0) const {
    return numbers(shape, phase).to(GetParam());
  }
  // `op` of low inputs against `op` of the same numbers in float32, output and gradients. The first
  // `activations` inputs are low, the others float32 parameters.
  void expect_rounded_alone(const testing::Op& op, const Tensors& inputs, size_t activations,
                            double roundings) const {
    Tensors low_inputs = inputs, exact_inputs = inputs;
    for (size_t i = 0; i < activations; ++i) {
      low_inputs[i] = inputs[i].to(GetParam());
      exact_inputs[i] = low_inputs[i].to(at::kFloat);
    }
    Tensors leaves = testing::leaves_of(low_inputs, 0.0, false),
            exact = testing::leaves_of(exact_inputs, 0.0, false);
    const at::Tensor y = op(leaves), expected = op(exact);
    EXPECT_EQ(y.scalar_type(), GetParam());
    const double tolerance = roundings * rounding(GetParam());
    expect_close(y, expected, tolerance, "output");
    testing::weigh(y.to(at::kFloat)).backward();
    testing::weigh(expected).backward();
    for (size_t i = 0; i < inputs.size(); ++i) {
      EXPECT_EQ(leaves[i].grad().scalar_type(), low_inputs[i].scalar_type());
      expect_close(leaves[i].grad(), exact[i].grad(), tolerance, "gradient " + std::to_string(i));
    }
  }
};

TEST_P(LowPrecision, BiasGelu) {
  expect_rounded_alone([](const Tensors& in) { return bias_gelu(in[0], in[1]); },
                       {numbers({9, 20}), numbers({20}, 1)}, 1, 2);
}

TEST_P(LowPrecision, Attention) {
  const TokenRows rows = testing::rows_of({5, 1, 0, 7});
  const Dropout dropout{0.2, {3, 4}, 5};
  expect_rounded_alone([&](const Tensors& in) { return attention(in[0], in[1], rows, 2, dropout); },
                       {numbers({13, 3 * 8}), numbers({3 * 8}, 1)}, 1, 4);
}

TEST_P(LowPrecision, DropoutAddLayerNorm) {
  const TokenRows rows = testing::rows_of({5, 1, 0, 7});
  const Dropout dropout{0.2, {3, 4}, 5};
  expect_rounded_alone(
      [&](const Tensors& in) {
        return dropout_add_layer_norm(in[0], in[2], in[1], {in[3], in[4], 1e-12}, dropout, rows);
      },
      {numbers({13, 24}), numbers({13, 24}, 1), numbers({24}, 2), numbers({24}, 3),
       numbers({24}, 4)},
      2, 4);
}

// The weight is rounded for the product, its gradient is float32 and added to what is there.
TEST_P(LowPrecision, Linear) {
  for (const int64_t tokens : {0, 1, 33}) {
    const at::Tensor x = low({tokens, 12}).set_requires_grad(true);
    at::Tensor weight = numbers({20, 12}, 1).set_requires_grad(true);
    weight.mutable_grad() = at::ones({20, 12});
    const at::Tensor rounded = weight.detach().to(GetParam());
    const at::Tensor y = linear_rounded(x, weight, rounded);
    EXPECT_EQ(y.scalar_type(), GetParam());
    const at::Tensor exact_x = x.detach().to(at::kFloat).set_requires_grad(true);
    at::Tensor exact = rounded.to(at::kFloat).set_requires_grad(true);
    const at::Tensor expected = linear_reference(exact_x, exact);
    const double tolerance = 4 * rounding(GetParam());
    expect_close(y, expected, tolerance, "output");
    testing::weigh(y.to(at::kFloat)).backward();
    testing::weigh(expected).backward();
    EXPECT_EQ(weight.grad().scalar_type(), at::kFloat);
    expect_close(weight.grad() - 1.0, exact.grad(), tolerance, "weight gradient");
    expect_close(x.grad(), exact_x.grad(), tolerance, "gradient");
  }
}

std::unique_ptr<Model> small_model(const std::string& architecture) {
  ModelSpec spec;
  spec.config = find_architecture(architecture).defaults;
  spec.config.vocabulary = 20;
  spec.config.layers = 3;
  spec.config.hidden = 32;
  spec.config.heads = 2;
  spec.config.intermediate = 64;
  spec.config.max_positions = 14;
  spec.config.initializer_range = 0.1;
  spec.outputs = 3;
  auto model = make_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

// 1 for the same direction.
double cosine(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  return (x.dot(y) / (x.norm() * y.norm())).item<double>();
}

TEST_P(LowPrecision, ModelsGiveFloat32OfTheSameNumbers) {
  for (const std::string architecture : {"bert", "roberta"}) {
    const auto model = small_model(architecture);
    const Batch batch = testing::small_batch({0, 1, 2});
    ForwardMode mode;
    mode.training = true;
    mode.key = {9, 2};
    mode.cls_states = true;
    mode.hidden_layers = {0, 2, 3};
    const Outputs exact = model->forward(batch, mode);
    testing::weigh(exact.logits).backward();
    const at::Tensor gradients = model->parameters().gradients().clone();
    model->parameters().zero_gradients();
    mode.type = GetParam();
    const Outputs outputs = model->forward(batch, mode);
    testing::weigh(outputs.logits).backward();
    const double tolerance = 32 * rounding(GetParam());
    EXPECT_EQ(outputs.logits.scalar_type(), at::kFloat);
    EXPECT_EQ(outputs.cls.scalar_type(), at::kFloat);
    expect_close(outputs.logits, exact.logits, tolerance, architecture + " logits");
    expect_close(outputs.cls, exact.cls, tolerance, architecture + " [CLS]");
    for (const int64_t layer : mode.hidden_layers)
      expect_close(outputs.hidden[layer], exact.hidden[layer], tolerance, architecture + " states");
    EXPECT_GT(cosine(model->parameters().gradients(), gradients),
              GetParam() == at::kBFloat16 ? 0.995 : 0.9999)
        << architecture;
  }
}

// Rounded weights follow every way of changing the values.
TEST_P(LowPrecision, RoundedWeightsAreThoseOfTheValues) {
  const auto model = small_model("bert");
  Parameters& parameters = model->parameters();
  const at::Tensor& weight = parameters.stacked("encoder.layer.1.attention.self.query.weight");
  const auto expect_follows = [&](const char* what) {
    const at::Tensor rounded = parameters.rounded(weight, GetParam());
    EXPECT_TRUE(at::equal(rounded, weight.detach().to(GetParam()))) << what;
  };
  expect_follows("first");
  {
    const at::NoGradGuard no_grad;
    parameters["encoder.layer.1.attention.self.key.weight"].fill_(0.3F);
    expect_follows("a view");
    parameters.values().mul_(1.5F);
    expect_follows("the buffer");
  }
  const Parameters copy = parameters;
  EXPECT_TRUE(at::equal(copy.rounded(weight, GetParam()), weight.detach().to(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Types, LowPrecision, ::testing::Values(at::kBFloat16, at::kHalf),
                         [](const auto& info) {
                           return info.param == at::kBFloat16 ? "bf16" : "fp16";
                         });

}  // namespace
}  // namespace kdbench::low_precision_test
