// SPDX-License-Identifier: MIT
// RoBERTa against its definition written down plainly, one row at a time.
#include <gmock/gmock.h>

#include <cmath>

#include "io/base/error.h"
#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::roberta_test {
namespace {

using testing::expect_close;
using ::testing::HasSubstr;
using testing::make_batch;
using testing::small_batch;
using ::testing::UnorderedElementsAre;
using testing::user_error_of;

ModelSpec small_spec(int64_t layers = 2) {
  ModelSpec spec;
  spec.config = find_architecture("roberta").defaults;
  spec.config.vocabulary = 20;
  spec.config.layers = layers;
  spec.config.hidden = 24;
  spec.config.heads = 2;
  spec.config.intermediate = 40;
  spec.config.max_positions = 12;
  spec.config.initializer_range = 0.3;
  spec.config.labels = {"neutral", "entailment", "contradiction"};
  spec.outputs = 3;
  return spec;
}

std::unique_ptr<Model> small_roberta(uint64_t seed = 1, int64_t layers = 2) {
  auto model = make_model(small_spec(layers));
  initialize_parameters(*model, seed);
  return model;
}

// --- The definition.

class Reference {
 public:
  explicit Reference(const Model& model)
      : weights_(model.parameters().to_tensors()), config_(model.config()) {}

  // States of the tokens after each layer, the embedding first.
  std::vector<at::Tensor> states(const at::Tensor& ids) const {
    const int64_t length = ids.size(0);
    const at::Tensor positions = at::arange(length) + config_.pad_token_id + 1;
    std::vector<at::Tensor> all{
        norm(at("embeddings.word_embeddings.weight").index_select(0, ids) +
                 at("embeddings.position_embeddings.weight").index_select(0, positions) +
                 at("embeddings.token_type_embeddings.weight")[0],
             "embeddings.LayerNorm")};
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const std::string prefix = "encoder.layer." + std::to_string(layer) + ".";
      const at::Tensor& before = all.back();
      const at::Tensor attended =
          norm(dense(attention(before, prefix), prefix + "attention.output.dense") + before,
               prefix + "attention.output.LayerNorm");
      const at::Tensor inner = at::gelu(dense(attended, prefix + "intermediate.dense"));
      all.push_back(
          norm(dense(inner, prefix + "output.dense") + attended, prefix + "output.LayerNorm"));
    }
    return all;
  }
  at::Tensor pooled(const at::Tensor& ids) const {
    return at::tanh(dense(states(ids).back()[0], "classifier.dense"));
  }
  at::Tensor logits(const at::Tensor& ids) const {
    return dense(pooled(ids), "classifier.out_proj");
  }

 private:
  const at::Tensor& at(const std::string& name) const { return weights_.at(name); }
  at::Tensor dense(const at::Tensor& x, const std::string& name) const {
    return at::matmul(x, at(name + ".weight").t()) + at(name + ".bias");
  }
  at::Tensor norm(const at::Tensor& x, const std::string& name) const {
    const at::Tensor centred = x - x.mean(-1, true);
    const at::Tensor variance = centred.pow(2).mean(-1, true);
    return centred / (variance + config_.layer_norm_eps).sqrt() * at(name + ".weight") +
           at(name + ".bias");
  }
  at::Tensor attention(const at::Tensor& x, const std::string& prefix) const {
    const int64_t width = config_.hidden / config_.heads;
    std::vector<at::Tensor> contexts;
    for (int64_t head = 0; head < config_.heads; ++head) {
      const auto part = [&](const std::string& name) {
        return dense(x, prefix + "attention.self." + name).narrow(1, head * width, width);
      };
      const at::Tensor scores =
          at::matmul(part("query"), part("key").t()) / std::sqrt(static_cast<double>(width));
      contexts.push_back(at::matmul(at::softmax(scores, 1), part("value")));
    }
    return at::cat(contexts, 1);
  }

  TensorMap weights_;
  ModelConfig config_;
};

at::Tensor row_of(const Batch& batch, int64_t row) {
  const Ragged& tokens = batch.ragged.at(field::kTokens);
  const int64_t begin = tokens.offsets[row].item<int64_t>();
  return tokens.values.narrow(0, begin, tokens.offsets[row + 1].item<int64_t>() - begin);
}

TEST(Roberta, EqualsItsDefinition) {
  const auto model = small_roberta();
  // Biases and norms that are not those of the start.
  const at::NoGradGuard no_gradients;
  model->parameters().values().add_(testing::numbers({model->parameters().values().numel()}) * 0.1);
  const Reference reference(*model);
  const Batch batch = small_batch({0, 1, 2, 3, 4});
  for (const bool hidden : {false, true}) {
    ForwardMode mode;
    if (hidden) mode.hidden_layers = {0, 1, 2};
    mode.cls_states = true;
    const Outputs outputs = model->forward(batch, mode);
    for (int64_t row = 0; row < batch.rows(); ++row) {
      const at::Tensor ids = row_of(batch, row);
      expect_close(outputs.logits[row], reference.logits(ids), 1e-5, "logits");
      expect_close(outputs.pooled[row], reference.pooled(ids), 1e-5, "pooled");
      const auto states = reference.states(ids);
      for (int64_t layer = 0; layer < 2; ++layer) {
        expect_close(outputs.cls[row][layer], states[static_cast<size_t>(layer) + 1][0], 1e-5,
                     "[CLS]");
      }
    }
  }
}

TEST(Roberta, TheHeadDropsItsInputAndItsOutput) {
  const auto model = small_roberta();
  const at::NoGradGuard no_gradients;
  ForwardMode training;
  training.training = true;
  training.key = {5, 6};
  const auto logits = [&](double hidden, double classifier, bool trains) {
    ModelSpec spec = small_spec();
    spec.config.hidden_dropout = spec.config.attention_dropout = hidden;
    spec.config.classifier_dropout = classifier;
    const auto other = make_model(spec);
    initialize_parameters(*other, 1);
    return other->forward(small_batch({0, 1, 2}), trains ? training : ForwardMode{});
  };
  const Outputs plain = logits(0.0, 0.5, false), dropped = logits(0.0, 0.5, true);
  EXPECT_GT(testing::largest(plain.pooled - dropped.pooled), 0.01);  // BERT's stays as it is
  EXPECT_GT(testing::largest(plain.logits - dropped.logits), 0.01);
  // Rows draw by their own number, whatever the batch.
  const Outputs alone = model->forward(small_batch({2}), training);
  expect_close(alone.logits[0], model->forward(small_batch({0, 1, 2}), training).logits[2], 1e-6,
               "row");
}

TEST(Roberta, GradientsPredictTheLoss) {
  const auto model = small_roberta();
  ForwardMode mode;
  mode.training = true;
  mode.key = {99, 7};
  const Batch batch = small_batch({0, 1, 2, 3, 4});
  const auto loss = [&] { return model->forward(batch, mode).logits.pow(2).sum(); };
  model->parameters().zero_gradients();
  loss().backward();
  const at::NoGradGuard no_gradients;
  for (const char* name :
       {"classifier.out_proj.weight", "classifier.dense.weight", "classifier.dense.bias",
        "embeddings.position_embeddings.weight", "embeddings.token_type_embeddings.weight"}) {
    const Segment& segment = model->parameters().layout().segment(name);
    at::Tensor values = model->parameters().values().narrow(0, segment.offset, segment.size);
    const at::Tensor gradient =
        model->parameters().gradients().narrow(0, segment.offset, segment.size);
    const double norm = gradient.norm().item<double>();
    const at::Tensor step = gradient * (0.01 / norm), start = values.clone();
    values.add_(step);
    const double above = loss().item<double>();
    values.copy_(start - step);
    const double below = loss().item<double>();
    values.copy_(start);
    EXPECT_NEAR((above - below) / 0.02, norm, 0.03 * norm + 0.02) << name;
  }
  // Nobody reads the first two positions.
  const at::Tensor& positions = model->parameters()["embeddings.position_embeddings.weight"];
  EXPECT_EQ(testing::largest(positions.grad().narrow(0, 0, 2)), 0.0);
  EXPECT_GT(testing::largest(positions.grad()[2]), 0.0);
}

TEST(Roberta, TwoPositionsAreThePaddings) {
  const auto model = small_roberta();
  const auto forward = [&](size_t length) {
    return user_error_of(
        [&] { model->forward(make_batch({std::vector<int64_t>(length, 5)}, {1}, {0}), {}); });
  };
  EXPECT_EQ(forward(10), "no error");
  EXPECT_THAT(forward(11), HasSubstr("a row has 11 tokens, but the model only 10 positions"));
  ModelSpec spec = small_spec();
  spec.config.max_positions = 2;
  EXPECT_THAT(user_error_of([&] { make_model(spec); }), HasSubstr("max_position_embeddings"));
}

TEST(Roberta, SavedAndReadAgain) {
  const testing::TempFolder folder;
  const auto model = small_roberta(3);
  save_checkpoint(*model, folder.path());
  const auto json = nlohmann::json::parse(testing::read_text(folder / "config.json"));
  EXPECT_EQ(json["architectures"][0], "RobertaForSequenceClassification");
  EXPECT_EQ(json["model_type"], "roberta");
  EXPECT_EQ(json["type_vocab_size"], 1);
  EXPECT_EQ(json["pad_token_id"], 1);
  EXPECT_EQ(json["bos_token_id"], 0);
  EXPECT_EQ(json["eos_token_id"], 2);
  EXPECT_EQ(json["id2label"]["0"], "neutral");
  const TensorMap stored = read_safetensors(folder / "model.safetensors");
  EXPECT_EQ(stored.count("roberta.encoder.layer.1.output.dense.weight"), 1U);
  EXPECT_EQ(stored.count("classifier.dense.weight"), 1U);
  EXPECT_EQ(stored.count("classifier.out_proj.bias"), 1U);

  ModelSpec spec;
  spec.config = read_model_config(folder.path());
  spec.outputs = 3;
  EXPECT_EQ(spec.config.first_position(), 2);
  EXPECT_EQ(spec.config.longest_row(), 10);
  const auto again = make_model(spec);
  const LoadReport report = initialize_from_checkpoint(*again, folder.path(), "weights");
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(report.unexpected.empty());
  EXPECT_TRUE(again->parameters().values().equal(model->parameters().values()));
}

// A checkpoint of the pre-trained model: its other heads are not used, this one begins at random.
TEST(Roberta, StudentsTakeLayersOfAPretrainedModel) {
  const testing::TempFolder folder;
  const auto model = small_roberta(3, 4);
  save_checkpoint(*model, folder.path());
  TensorMap tensors = read_safetensors(folder / "model.safetensors");
  for (const char* name : {"dense.weight", "dense.bias", "out_proj.weight", "out_proj.bias"})
    tensors.erase(std::string("classifier.") + name);
  tensors["lm_head.bias"] = at::zeros({20});
  tensors["roberta.embeddings.position_ids"] = at::arange(12).unsqueeze(0);
  write_safetensors(folder / "model.safetensors", tensors);
  const auto student = small_roberta(7);
  const LoadReport report = initialize_from_checkpoint(*student, folder.path(), "skip-layers");
  EXPECT_THAT(report.missing,
              UnorderedElementsAre("classifier.dense.weight", "classifier.dense.bias",
                                   "classifier.out_proj.weight", "classifier.out_proj.bias"));
  EXPECT_EQ(report.unexpected,
            (std::vector<std::string>{"embeddings.position_ids", "lm_head.bias"}));
  const std::string rest = ".attention.self.key.weight";
  EXPECT_TRUE(student->parameters()["encoder.layer.1" + rest].equal(
      model->parameters()["encoder.layer.3" + rest]));
}

TEST(Classifier, RowsFollowTheLabels) {
  const testing::TempFolder folder;
  const auto model = small_roberta(3);
  save_checkpoint(*model, folder.path());
  ModelSpec spec = small_spec();
  spec.config.labels = {"contradiction", "neutral", "entailment"};
  const auto other = make_model(spec);
  initialize_from_checkpoint(*other, folder.path(), "weights");
  const at::NoGradGuard no_gradients;
  const Batch batch = small_batch({0, 1, 2});
  expect_close(other->forward(batch, {}).logits,
               model->forward(batch, {}).logits.index_select(1, at::tensor({2, 0, 1})), 0.0,
               "columns");
}

TEST(Classifier, HasItsName) {
  const auto model = small_roberta();
  EXPECT_EQ(model->classifier(), "classifier.out_proj");
  EXPECT_EQ(model->outputs(), 3);
}

}  // namespace
}  // namespace kdbench::roberta_test
