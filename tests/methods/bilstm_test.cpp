// SPDX-License-Identifier: MIT
// The BiLSTM students: published numbers of parameters, the network against its definition written
// plainly, its folder, and what does not depend on which rows stand together.
#include "methods/models/bilstm.h"

#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/registry.h"
#include "tests/methods/op_check.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::bilstm_test {
namespace {

ModelConfig config_of(int64_t embedding, int64_t hidden, int64_t fc) {
  ModelConfig config = find_architecture("bilstm").defaults;
  config.vocabulary = 30;
  config.embedding = embedding;
  config.hidden = hidden;
  config.fc = fc;
  config.set_dropout(0.0);
  config.labels = {"no", "yes"};
  return config;
}

std::unique_ptr<Model> model_of(const ModelConfig& config, int64_t outputs = 2) {
  ModelSpec spec;
  spec.config = config;
  spec.outputs = outputs;
  auto model = make_model(spec);
  initialize_parameters(*model, 7);
  return model;
}

// Rows of so many tokens, of which `first` are the first text's.
Batch batch_of(const std::vector<int64_t>& lengths, const std::vector<int64_t>& first) {
  const TokenRows rows = testing::rows_of(lengths);
  Batch batch;
  batch.global_rows = static_cast<int64_t>(lengths.size());
  batch.row_ids = rows.row_ids;
  batch.ragged[field::kTokens] = {at::arange(rows.tokens(), at::kLong).mul(7).remainder(30),
                                  rows.offsets};
  batch.dense[field::kFirstSegment] = at::tensor(first, at::kLong);
  return batch;
}

int64_t without_embeddings(int64_t input, int64_t hidden, int64_t fc, bool pair, int64_t outputs) {
  ModelConfig config = config_of(input, hidden, fc);
  config.pair = pair;
  ModelSpec spec;
  spec.config = config;
  spec.outputs = outputs;
  spec.device = at::kMeta;
  return make_model(spec)->parameters().layout().parameter_count() - config.vocabulary * input;
}

TEST(BiLstm, PublishedNumbersOfParameters) {
  EXPECT_EQ(without_embeddings(600, 150, 200, false, 2), 963002);  // the paper's 0.96 million
  EXPECT_EQ(without_embeddings(300, 150, 200, false, 2), 603002);
  EXPECT_EQ(without_embeddings(600, 300, 200, false, 2), 2285402);
  EXPECT_EQ(without_embeddings(600, 300, 400, false, 2), 2406002);
  EXPECT_EQ(without_embeddings(600, 150, 200, true, 2), 1143002);
  EXPECT_EQ(without_embeddings(600, 300, 200, true, 2), 2645402);
  EXPECT_EQ(without_embeddings(300, 300, 600, true, 3), 1444800 + 1442403);  // ProKT's
}

TEST(BiLstm, BothCopiesOfTheVectorsMakeTheInput) {
  ModelConfig config = config_of(300, 150, 200);
  config.vector_mode = vector_mode::kBoth;
  const auto model = model_of(config);
  const ParameterLayout& layout = model->parameters().layout();
  EXPECT_EQ(layout.parameter_count(), 963002 + 2 * 30 * 300);
  EXPECT_EQ(layout.constant_count(), 30 * 300);
  EXPECT_FALSE(model->parameters()[kStaticVectors].requires_grad());
}

at::Tensor direction(const Model& model, const at::Tensor& x, const std::string& end) {
  const auto p = [&](const char* name) {
    return model.parameters()["lstm." + std::string(name) + "_l0" + end].detach();
  };
  const at::Tensor zero = at::zeros({1, model.config().hidden});
  at::Tensor h = zero, c = zero;
  std::vector<at::Tensor> states;
  for (int64_t t = 0; t < x.size(0); ++t) {
    std::tie(h, c) = at::lstm_cell(x.narrow(0, t, 1), {h, c}, p("weight_ih"), p("weight_hh"),
                                   p("bias_ih"), p("bias_hh"));
    states.push_back(h);
  }
  return at::cat(states);
}

// One text, token by token.
at::Tensor kept_of(const Model& model, const at::Tensor& ids) {
  const Parameters& p = model.parameters();
  std::vector<at::Tensor> vectors;
  for (const char* table : {kTrainedVectors, kStaticVectors}) {
    if (p.layout().contains(table)) vectors.push_back(p[table].detach().index_select(0, ids));
  }
  const at::Tensor x = at::cat(vectors, 1);
  const at::Tensor forward = direction(model, x, "");
  const at::Tensor backward = direction(model, x.flip(0), "_reverse");
  if (model.config().pooling == "max") return at::cat({forward, backward}, 1).amax(0);
  return at::cat({forward.select(0, -1), backward.select(0, -1)});
}

at::Tensor head_of(const Model& model, at::Tensor state) {
  const auto layer = [&](const char* name) {
    const Parameters& p = model.parameters();
    return at::linear(state, p[std::string(name) + ".weight"].detach(),
                      p[std::string(name) + ".bias"].detach());
  };
  if (model.config().fc > 0) state = layer("hidden");
  if (model.config().fc > 0 && model.config().activation == "relu") state = state.relu();
  return layer("classifier");
}

at::Tensor plain_logits(const Model& model, const Batch& batch) {
  const Ragged& tokens = batch.ragged_field(field::kTokens);
  std::vector<at::Tensor> logits;
  for (int64_t row = 0; row < batch.rows(); ++row) {
    const int64_t begin = tokens.offsets[row].item<int64_t>();
    const int64_t end = tokens.offsets[row + 1].item<int64_t>();
    const int64_t middle = begin + batch.dense_field(field::kFirstSegment)[row].item<int64_t>();
    const auto text = [&](int64_t from, int64_t to) {
      return kept_of(model, tokens.values.narrow(0, from, to - from));
    };
    at::Tensor state;
    if (model.config().pair) {
      const at::Tensor u = text(begin, middle), v = text(middle, end);
      state = at::cat({u, v, (u - v).abs(), u * v});
    } else {
      state = text(begin, end);
    }
    logits.push_back(head_of(model, state));
  }
  return at::stack(logits);
}

TEST(BiLstm, IsItsDefinition) {
  for (const char* pooling : {"final", "max"}) {
    for (const bool pair : {false, true}) {
      for (const char* mode : {vector_mode::kRandom, vector_mode::kStatic, vector_mode::kBoth}) {
        ModelConfig config = config_of(6, 5, pooling == std::string("max") && !pair ? 0 : 7);
        config.pooling = pooling;
        config.activation = config.pooling == "max" ? "none" : "relu";
        config.pair = pair;
        config.vector_mode = mode;
        const auto model = model_of(config);
        const Batch batch = batch_of({5, 2, 9, 2}, {2, 1, 8, 1});
        testing::expect_close(model->forward(batch, {}).logits, plain_logits(*model, batch), 1e-5,
                              std::string(pooling) + " " + mode);
      }
    }
  }
}

TEST(BiLstm, DropoutIsKeyedByRowAndStandsInOnePlace) {
  for (const char* pooling : {"final", "max"}) {
    ModelConfig config = config_of(6, 5, 7);
    config.pooling = pooling;
    config.set_dropout(0.5);
    const auto model = model_of(config);
    ForwardMode mode;
    mode.training = true;
    mode.key = {3, 4};
    const Batch all = batch_of({4, 4}, {4, 4});
    const at::Tensor logits = model->forward(all, mode).logits;
    EXPECT_FALSE(at::allclose(logits, model->forward(all, {}).logits));
    Batch second = batch_of({4}, {4});
    second.row_ids = all.row_ids.narrow(0, 1, 1);
    second.ragged[field::kTokens].values = all.ragged_field(field::kTokens).values.narrow(0, 4, 4);
    testing::expect_close(model->forward(second, mode).logits, logits.narrow(0, 1, 1), 1e-6,
                          pooling);
  }
}

TEST(BiLstm, GradientsOfAllParametersAndNoRows) {
  ModelConfig config = config_of(6, 5, 7);
  config.pair = true;
  const auto model = model_of(config);
  model->forward(batch_of({3, 5}, {1, 2}), {}).logits.square().sum().backward();
  for (const auto& segment : model->parameters().layout().segments()) {
    const at::Tensor gradient =
        model->parameters().gradients().narrow(0, segment.offset, segment.size);
    EXPECT_GT(testing::largest(gradient), 0.0) << segment.name;
  }
  model->parameters().zero_gradients();
  model->forward(batch_of({}, {}), {}).logits.sum().backward();
  EXPECT_EQ(testing::largest(model->parameters().gradients()), 0.0);
}

TEST(BiLstm, FolderAndBack) {
  const testing::TempFolder folder;
  ModelConfig config = config_of(6, 5, 7);
  config.pair = config.whole_words = true;
  config.pad_token_id = 1;
  config.vector_mode = vector_mode::kBoth;
  const auto model = model_of(config);
  save_checkpoint(*model, folder.path());
  const ModelConfig found = read_model_config(folder.path());
  EXPECT_EQ(to_config_json(found), to_config_json(config));
  EXPECT_EQ(to_config_json(found).at("architecture"), "bilstm");
  EXPECT_EQ(to_config_json(found).at("embedding_mode"), "multichannel");
  EXPECT_TRUE(found.unused_keys.empty());
  ModelSpec spec;
  spec.config = found;
  const auto copy = make_model(spec);
  const LoadReport report = initialize_from_checkpoint(*copy, folder.path(), "weights");
  EXPECT_TRUE(report.missing.empty() && report.unexpected.empty() && report.notes.empty());
  const Batch batch = batch_of({5, 3}, {2, 2});
  EXPECT_TRUE(at::equal(copy->forward(batch, {}).logits, model->forward(batch, {}).logits));
}

TEST(BiLstm, ConfigsThatCannotBeUsed) {
  const testing::TempFolder folder;
  folder.write("config.json",
               R"({"architecture": "bilstm", "vocab_size": 5, "embedding_size": 4, "hidden_size": 3,
                   "fc_size": 0, "pooling": "mean", "pair": 1, "do_lower_case": false})");
  const std::string text = testing::user_error_of([&] { read_model_config(folder.path()); });
  for (const char* part : {"pooling", "\"mean\" is not supported", "pair: must be true or false",
                           "do_lower_case: false is not read here"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(BiLstm, WhatFollowsFromItsUse) {
  const Architecture& entry = find_architecture("bilstm");
  ModelConfig config = entry.defaults;
  config.hidden = 300;
  config.pooling = "max";
  entry.adapt(config, {{"hidden", 300}}, {.pair = true, .whole_words = false});
  EXPECT_EQ(config.fc, 600);
  EXPECT_EQ(config.activation, "none");
  EXPECT_EQ(config.classifier_dropout, 0.4);
  entry.adapt(config, {{"hidden", 300}}, {.pair = false, .whole_words = true});
  EXPECT_EQ(config.fc, 0);
  EXPECT_EQ(config.pad_token_id, 1);
  entry.adapt(config, {{"hidden", 300}, {"fc", 50}}, {.pair = true, .whole_words = false});
  EXPECT_EQ(config.fc, 0);  // what was written stands in the config already
}

}  // namespace
}  // namespace kdbench::bilstm_test
