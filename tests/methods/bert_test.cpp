// SPDX-License-Identifier: MIT
#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <functional>
#include <string>

#include "io/base/error.h"
#include "methods/models/checkpoint.h"
#include "methods/models/encoder.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"
#include "tests/support/shared_data.h"
#include "tests/support/user_error.h"

namespace kdbench::bert_test {
namespace {

using testing::expect_close;
using testing::make_batch;
using testing::small_batch;
using testing::Tensors;
using testing::user_error_of;

ModelSpec small_spec() {
  ModelSpec spec;
  spec.config = find_architecture("bert").defaults;
  spec.config.vocabulary = 20;
  spec.config.layers = 2;
  spec.config.hidden = 24;
  spec.config.heads = 2;
  spec.config.intermediate = 40;
  spec.config.max_positions = 12;
  spec.config.initializer_range = 0.3;
  spec.outputs = 3;
  return spec;
}

std::unique_ptr<Model> small_bert() {
  auto model = make_model(small_spec());
  initialize_parameters(*model, 1);
  return model;
}

ForwardMode everything(bool attention) {
  ForwardMode mode;
  mode.hidden_layers = {0, 1, 2, 3, 4, 5, 6};
  mode.cls_states = true;
  mode.attention = attention;
  return mode;
}

ForwardMode training() {
  ForwardMode mode;
  mode.training = true;
  mode.key = {99, 7};
  return mode;
}

// --- Reference outputs of real weights.

// The rows of a padded fixture as a ragged batch.
Batch fixture_batch(const TensorMap& fixture) {
  const at::Tensor ids = fixture.at("input_ids"), types = fixture.at("token_type_ids");
  const at::Tensor lengths = fixture.at("attention_mask").sum(1);
  std::vector<std::vector<int64_t>> rows;
  std::vector<int64_t> first_segment, row_ids;
  for (int64_t r = 0; r < ids.size(0); ++r) {
    const int64_t length = lengths[r].item<int64_t>();
    std::vector<int64_t> row;
    for (int64_t i = 0; i < length; ++i) row.push_back(ids[r][i].item<int64_t>());
    rows.push_back(row);
    first_segment.push_back(length - types[r].sum().item<int64_t>());
    row_ids.push_back(r);
  }
  return make_batch(rows, first_segment, row_ids);
}

void expect_fixture(const std::string& name, const std::string& fixture_path, Model& model) {
  const TensorMap fixture = read_safetensors(fixture_path);
  const Batch batch = fixture_batch(fixture);
  const at::Tensor mask = fixture.at("attention_mask").to(at::kBool);
  const at::NoGradGuard no_gradients;
  for (const bool attention : {false, true}) {
    const Outputs outputs = model.forward(batch, everything(attention));
    ASSERT_EQ(outputs.hidden.size(), 7u);
    for (int64_t layer = 0; layer < 7; ++layer) {
      const at::Tensor expected = fixture.at("hidden_states")[layer].index({mask});
      EXPECT_LT(testing::largest(outputs.hidden[layer] - expected), 2e-4) << name << layer;
    }
    EXPECT_LT(testing::largest(outputs.pooled - fixture.at("pooled")), 1e-4) << name;
  }
  // Without hidden states the last layer runs on [CLS] alone.
  const Outputs outputs = model.forward(batch, {});
  EXPECT_LT(testing::largest(outputs.pooled - fixture.at("pooled")), 1e-4) << name;
}

TEST(BertParity, MiniLmStates) {
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  KDBENCH_NEED_SHARED(fixtures, "fixtures/forward/minilm");
  ModelSpec spec;
  spec.config = read_model_config(weights);
  const auto model = make_model(spec);
  const LoadReport report = initialize_from_checkpoint(*model, weights, "weights");
  EXPECT_EQ(report.missing, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"embeddings.position_ids"});
  expect_fixture("pairs", fixtures / "pairs.safetensors", *model);
  expect_fixture("singles", fixtures / "singles.safetensors", *model);
}

// --- Paths and batches.

TEST(Bert, BothAttentionPathsAgree) {
  const auto model = small_bert();
  const Batch batch = small_batch({0, 1, 2, 3, 4});
  std::vector<Tensors> gradients;
  for (const bool attention : {false, true}) {
    ForwardMode mode = everything(attention);
    mode.training = true;
    mode.key = {5, 6};
    const Outputs outputs = model->forward(batch, mode);
    EXPECT_EQ(outputs.attention.size(), attention ? 2u : 0u);
    model->parameters().zero_gradients();
    (testing::weigh(outputs.logits) + testing::weigh(outputs.cls)).backward();
    gradients.push_back({outputs.logits.detach(), outputs.cls.detach(), outputs.hidden[1].detach(),
                         model->parameters().gradients().clone()});
  }
  for (size_t i = 0; i < 4; ++i) expect_close(gradients[0][i], gradients[1][i], 1e-5, "path");
}

TEST(Bert, OutputsHaveTheirShapes) {
  const auto model = small_bert();
  const Outputs outputs = model->forward(small_batch({0, 1, 2}), everything(true));
  EXPECT_EQ(outputs.logits.sizes(), (at::IntArrayRef{3, 3}));
  EXPECT_EQ(outputs.pooled.sizes(), (at::IntArrayRef{3, 24}));
  EXPECT_EQ(outputs.cls.sizes(), (at::IntArrayRef{3, 2, 24}));
  ASSERT_EQ(outputs.hidden.size(), 3u);
  EXPECT_EQ(outputs.hidden[0].sizes(), (at::IntArrayRef{17, 24}));
  ASSERT_EQ(outputs.attention.size(), 2u);
  EXPECT_EQ(outputs.attention[0].sizes(), (at::IntArrayRef{3, 2, 10, 10}));
  expect_close(outputs.cls.select(1, 1), outputs.hidden[2].index({at::tensor({0, 5, 7})}), 0.0,
               "[CLS]");
}

// Leaving out what nobody reads of the last layer changes no result, with dropout on.
TEST(Bert, ShortLastLayerEqualsTheWholeOne) {
  const auto model = small_bert();
  const Batch batch = small_batch({0, 1, 2, 3, 4});
  std::vector<Tensors> results;
  for (const bool whole : {true, false}) {
    ForwardMode mode = training();
    mode.hidden_layers = {whole ? int64_t{2} : int64_t{1}};
    mode.cls_states = true;
    const Outputs outputs = model->forward(batch, mode);
    EXPECT_EQ(outputs.hidden[2].defined(), whole);
    EXPECT_EQ(outputs.hidden[1].defined(), !whole);
    model->parameters().zero_gradients();
    (testing::weigh(outputs.logits) + testing::weigh(outputs.cls)).backward();
    results.push_back({outputs.logits.detach(), model->parameters().gradients().clone()});
  }
  for (size_t i = 0; i < 2; ++i) expect_close(results[0][i], results[1][i], 1e-5, "last layer");
}

TEST(Bert, DropoutDoesNotDependOnTheBatchOrItsOrder) {
  const auto model = small_bert();
  const at::NoGradGuard no_gradients;
  const at::Tensor together = model->forward(small_batch({0, 1, 2, 3, 4}), training()).logits;
  const at::Tensor parts = at::cat({model->forward(small_batch({0, 1, 2}), training()).logits,
                                    model->forward(small_batch({3, 4}), training()).logits});
  expect_close(parts, together, 1e-6, "split");
  const at::Tensor mixed = model->forward(small_batch({3, 0, 4, 2, 1}), training()).logits;
  expect_close(mixed, together.index({at::tensor({3, 0, 4, 2, 1})}), 1e-6, "order");
  const at::Tensor without = model->forward(small_batch({0, 1, 2, 3, 4}), {}).logits;
  EXPECT_GT(testing::largest(without - together), 0.01);
}

TEST(Bert, GradientsOfPartsAddUp) {
  const auto model = small_bert();
  const auto gradients = [&](const std::vector<std::vector<int64_t>>& parts) {
    model->parameters().zero_gradients();
    for (const auto& part : parts) {
      model->forward(small_batch(part), training()).logits.pow(2).sum().backward();
    }
    return model->parameters().gradients().clone();
  };
  const at::Tensor whole = gradients({{0, 1, 2, 3, 4}});
  EXPECT_GT(testing::largest(whole), 0.1);
  expect_close(gradients({{3, 1}, {}, {0, 2, 4}}), whole, 1e-5, "parts");
}

TEST(Bert, DoesNotDependOnThreads) {
  const auto model = small_bert();
  Tensors results;
  for (const int threads : {1, 2}) {
    at::set_num_threads(threads);
    model->parameters().zero_gradients();
    model->forward(small_batch({0, 1, 2, 3, 4}), training()).logits.pow(2).sum().backward();
    results.push_back(model->parameters().gradients().clone());
  }
  expect_close(results[1], results[0], 1e-6, "threads");
}

TEST(Bert, EmptyBatch) {
  const auto model = small_bert();
  for (const bool attention : {false, true}) {
    ForwardMode mode = everything(attention);
    mode.training = true;
    const Outputs outputs = model->forward(small_batch({}), mode);
    EXPECT_EQ(outputs.logits.sizes(), (at::IntArrayRef{0, 3}));
    EXPECT_EQ(outputs.cls.sizes(), (at::IntArrayRef{0, 2, 24}));
    (outputs.logits.sum() + outputs.cls.sum()).backward();
    EXPECT_EQ(testing::largest(model->parameters().gradients()), 0.0);
  }
}

// Every parameter's gradient, against a difference quotient of the loss in its direction.
TEST(Bert, GradientsPredictTheLoss) {
  const auto model = small_bert();
  const Batch batch = small_batch({0, 1, 2, 3, 4});
  const auto loss = [&] { return model->forward(batch, training()).logits.pow(2).sum(); };
  model->parameters().zero_gradients();
  loss().backward();
  const at::NoGradGuard no_gradients;
  for (const auto& segment : model->parameters().layout().segments()) {
    at::Tensor values = model->parameters().values().narrow(0, segment.offset, segment.size);
    const at::Tensor gradient =
        model->parameters().gradients().narrow(0, segment.offset, segment.size);
    const double norm = gradient.norm().item<double>();
    if (norm < 1e-3) continue;  // key biases have none
    const at::Tensor step = gradient * (0.01 / norm), start = values.clone();
    values.add_(step);
    const double above = loss().item<double>();
    values.copy_(start - step);
    const double below = loss().item<double>();
    values.copy_(start);
    EXPECT_NEAR((above - below) / 0.02, norm, 0.03 * norm + 0.02) << segment.name;
  }
}

// --- Declarations and errors.

TEST(Bert, DeclaresHuggingFaceNames) {
  const auto model = small_bert();
  const ParameterLayout& layout = model->parameters().layout();
  EXPECT_EQ(layout.segments().size(), 5u + 2 * 16 + 4);
  EXPECT_EQ(layout.segments().front().name, "classifier.bias");
  for (const char* name :
       {"embeddings.word_embeddings.weight", "encoder.layer.1.attention.self.value.bias",
        "encoder.layer.0.attention.output.LayerNorm.weight",
        "encoder.layer.1.intermediate.dense.weight", "pooler.dense.bias", "classifier.weight"}) {
    EXPECT_TRUE(layout.contains(name)) << name;
  }
}

TEST(Bert, ExtraParametersJoinTheLayoutButNoCheckpoint) {
  ModelSpec spec = small_spec();
  spec.extra = {{"projection.weight", {7, 24}}, {"memory", {100, 24}, 3.0}};
  const auto model = make_model(spec);
  initialize_parameters(*model, 1);
  EXPECT_EQ(model->parameters()["projection.weight"].sizes(), (at::IntArrayRef{7, 24}));
  EXPECT_NEAR(model->parameters()["projection.weight"].std().item<double>(), 0.3, 0.05);
  EXPECT_NEAR(model->parameters()["memory"].std().item<double>(), 3.0, 0.2);
  const TensorMap saved = to_checkpoint(*model);
  EXPECT_EQ(saved.count("classifier.weight"), 1u);
  EXPECT_EQ(saved.count("memory"), 0u);
  TensorMap own = model->parameters().to_tensors();
  own.erase("memory");
  EXPECT_TRUE(load_parameters(model->parameters(), own, "here").missing.empty());
}

TEST(Bert, CountsItsWork) {
  const auto model = small_bert();
  // Both layers' q, k, v and attention on 5 tokens; the rest on 5 tokens and on one; pooler,
  // classifier.
  const double qkv = 2 * 5 * (2.0 * 3 * 24 * 24 + 4.0 * 5 * 24);
  const double rest = (5 + 1) * (2.0 * 24 * 24 + 2 * 2.0 * 24 * 40);
  EXPECT_DOUBLE_EQ(model->forward_flops(5), qkv + rest + 2.0 * 24 * 24 + 2.0 * 24 * 3);
}

TEST(Bert, RefusesWhatDoesNotFit) {
  const auto model = small_bert();
  const auto forward = [&](std::vector<int64_t> row) {
    return user_error_of([&] { model->forward(make_batch({row}, {2}, {0}), {}); });
  };
  EXPECT_THAT(forward({2, 20, 3}), ::testing::HasSubstr("20 entries"));
  EXPECT_THAT(forward({2, -1, 3}), ::testing::HasSubstr("ids from -1"));
  EXPECT_THAT(forward(std::vector<int64_t>(13, 2)), ::testing::HasSubstr("only 12 positions"));

  ModelSpec spec = small_spec();
  spec.config.heads = 5;
  spec.config.layers = 0;
  const std::string text = user_error_of([&] { make_model(spec); });
  EXPECT_THAT(text, ::testing::HasSubstr("5 attention heads"));
  EXPECT_THAT(text, ::testing::HasSubstr("num_hidden_layers"));
}

TEST(MakeModel, ListsTheKnownArchitectures) {
  ModelSpec spec = small_spec();
  spec.config.architecture = "bart";
  EXPECT_THAT(user_error_of([&] { make_model(spec); }), ::testing::HasSubstr("known: bert"));
}

TEST(InitializeParameters, FollowsBert) {
  const auto model = small_bert();
  const Parameters& parameters = model->parameters();
  EXPECT_TRUE(parameters["embeddings.LayerNorm.weight"].eq(1).all().item<bool>());
  EXPECT_TRUE(parameters["pooler.dense.bias"].eq(0).all().item<bool>());
  EXPECT_NEAR(parameters["pooler.dense.weight"].std().item<double>(), 0.3, 0.03);
  EXPECT_FALSE(parameters["encoder.layer.0.output.dense.weight"].equal(
      parameters["encoder.layer.1.output.dense.weight"]));
}

}  // namespace
}  // namespace kdbench::bert_test
