// SPDX-License-Identifier: MIT
// BERT as a masked language model: another program's numbers, plain operations, finite differences,
// folders with and without its head.
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/language_model.h"
#include "methods/models/masked_model.h"
#include "methods/models/registry.h"
#include "tests/methods/op_check.h"
#include "tests/methods/small_batch.h"
#include "tests/support/temp_folder.h"
#include "tests/support/test_data.h"
#include "tests/support/user_error.h"

namespace kdbench::masked_bert_test {
namespace {

using testing::expect_close;
using ::testing::HasSubstr;

std::unique_ptr<TextModel> load(const std::filesystem::path& folder, LoadReport* report) {
  ModelSpec spec;
  spec.config = read_model_config(folder, ModelForm::kLanguage);
  auto model = make_text_model(spec);
  *report = initialize_from_checkpoint(*model, folder, "weights");
  return model;
}

// A model of the tests' data, with its rows and what transformers computed of them.
struct Fixture {
  std::filesystem::path folder = testing::test_data("models/masked-bert");
  LoadReport report;
  std::unique_ptr<TextModel> model = load(folder, &report);
  TensorMap expected = read_safetensors(folder / "expected.safetensors");

  const MaskedModel& masked() const { return dynamic_cast<const MaskedModel&>(*model); }

  // The rows `chosen`.
  Batch batch(const std::vector<int64_t>& chosen) const {
    const at::Tensor offsets = expected.at("offsets"), first = expected.at("first_segment");
    const auto slice = [&](const char* name, int64_t row) {
      const at::Tensor values = expected.at(name).slice(0, offsets[row].item<int64_t>(),
                                                        offsets[row + 1].item<int64_t>());
      return std::vector<int64_t>(values.const_data_ptr<int64_t>(),
                                  values.const_data_ptr<int64_t>() + values.numel());
    };
    std::vector<std::vector<int64_t>> rows;
    std::vector<int64_t> segments, targets;
    for (const int64_t row : chosen) {
      rows.push_back(slice("ids", row));
      segments.push_back(first[row].item<int64_t>());
      const auto told = slice("targets", row);
      targets.insert(targets.end(), told.begin(), told.end());
    }
    Batch batch = testing::make_batch(rows, segments, chosen);
    batch.ragged[field::kTargets] = {at::tensor(targets, at::kLong),
                                     batch.ragged.at(field::kTokens).offsets};
    return batch;
  }
};

const std::vector<int64_t> kAll = {0, 1, 2, 3};

TEST(MaskedBertParity, LossesAndGradientsOfTheReference) {
  Fixture fixture;
  EXPECT_TRUE(fixture.report.missing.empty());
  EXPECT_TRUE(fixture.report.unexpected.empty());
  const Parameters& parameters = fixture.model->parameters();
  const auto all = static_cast<double>(fixture.expected.at("losses").size(0));
  // All at once, and rows by themselves, one of which has nothing to tell.
  for (const auto& parts : {std::vector<std::vector<int64_t>>{kAll}, {{0}, {1}, {2, 3}}}) {
    fixture.model->parameters().zero_gradients();
    std::vector<at::Tensor> losses;
    for (const auto& part : parts) {
      losses.push_back(fixture.model->target_losses(fixture.batch(part), {}));
      (losses.back().sum() / all).backward();
    }
    expect_close(at::cat(losses).detach(), fixture.expected.at("losses"), 1e-5, "losses");
    size_t compared = 0;
    for (const auto& segment : parameters.layout().tensors()) {
      const at::Tensor gradient =
          parameters.gradients().narrow(0, segment.offset, segment.size).view(segment.shape);
      expect_close(gradient, fixture.expected.at("grad." + segment.name), 2e-5, segment.name);
      ++compared;
    }
    EXPECT_EQ(compared, 5U + 2 * 16 + 5);
  }
}

TEST(MaskedBertParity, ScoresOfTheReference) {
  const Fixture fixture;
  const Batch batch = fixture.batch(kAll);
  const Targets targets = masked_targets(batch);
  std::vector<at::Tensor> scores;
  fixture.masked().score(batch, targets.positions, [&](int64_t first, const at::Tensor& some) {
    EXPECT_EQ(first, static_cast<int64_t>(scores.size()));
    for (int64_t i = 0; i < some.size(0); ++i) scores.push_back(some[i]);
  });
  expect_close(at::stack(scores), fixture.expected.at("scores"), 1e-5, "scores");
}

// The encoder that classifies, which is proved elsewhere, and the head by plain operations.
TEST(MaskedBert, IsTheEncoderWithAPlainHead) {
  Fixture fixture;
  ModelSpec spec;
  spec.config = read_model_config(fixture.folder);
  const auto encoder = make_model(spec);
  initialize_from_checkpoint(*encoder, fixture.folder, "weights");
  const Batch batch = fixture.batch(kAll);
  ForwardMode mode;
  mode.hidden_layers = {2};
  const at::NoGradGuard no_gradients;
  const at::Tensor states = encoder->forward(batch, mode).hidden[2];
  const Parameters& p = fixture.model->parameters();
  const auto value = [&](const std::string& name) { return p[name].detach(); };
  const std::string head = "cls.predictions.";
  at::Tensor x = at::linear(states, value(head + "transform.dense.weight"),
                            value(head + "transform.dense.bias"));
  x = 0.5 * x * (1 + at::erf(x / std::sqrt(2.0)));
  x = (x - x.mean(1, true)) / at::sqrt(x.var(1, false, true) + 1e-12);
  x = x * value(head + "transform.LayerNorm.weight") + value(head + "transform.LayerNorm.bias");
  const at::Tensor log_probabilities = at::log_softmax(
      at::linear(x, value("embeddings.word_embeddings.weight"), value(head + "bias")), 1);
  const Targets targets = masked_targets(batch);
  const at::Tensor losses = -log_probabilities.index({targets.positions, targets.ids});
  expect_close(fixture.model->target_losses(batch, {}), losses, 1e-5, "losses");
}

// With dropout, which draws the same in each pass.
TEST(MaskedBert, GradientsAreFiniteDifferences) {
  Fixture fixture;
  const Batch batch = fixture.batch(kAll);
  ForwardMode mode;
  mode.training = true;
  mode.key = {3, 4};
  Parameters& parameters = fixture.model->parameters();
  const auto loss = [&] { return fixture.model->target_losses(batch, mode).sum(); };
  parameters.zero_gradients();
  loss().backward();
  const at::NoGradGuard no_gradients;
  constexpr float kStep = 4e-3f;
  for (const auto& segment : parameters.layout().tensors()) {
    float& value = parameters.values().mutable_data_ptr<float>()[segment.offset + segment.size / 2];
    const float before = value;
    value = before + kStep;
    const double above = loss().item<double>();
    value = before - kStep;
    const double below = loss().item<double>();
    value = before;
    const double gradient =
        parameters.gradients()[segment.offset + segment.size / 2].item<double>();
    EXPECT_NEAR(gradient, (above - below) / (2 * kStep), 0.02 + 0.02 * std::abs(gradient))
        << segment.name;
  }
}

TEST(MaskedBert, IsSavedAsHuggingFaceHasIt) {
  const Fixture fixture;
  const testing::TempFolder folder;
  save_checkpoint(*fixture.model, folder.path());
  const auto config = nlohmann::json::parse(std::ifstream(folder.path() / "config.json"));
  EXPECT_EQ(config.at("model_type"), "bert");
  EXPECT_EQ(config.at("architectures"), nlohmann::json({"BertForMaskedLM"}));
  std::vector<std::string> names;
  for (const auto& [name, tensor] : read_safetensors(folder.path() / "model.safetensors"))
    if (name.find(".layer.") == std::string::npos) names.push_back(name);
  EXPECT_THAT(
      names,
      ::testing::UnorderedElementsAre(
          "bert.embeddings.LayerNorm.bias", "bert.embeddings.LayerNorm.weight",
          "bert.embeddings.position_embeddings.weight",
          "bert.embeddings.token_type_embeddings.weight", "bert.embeddings.word_embeddings.weight",
          "cls.predictions.bias", "cls.predictions.transform.LayerNorm.bias",
          "cls.predictions.transform.LayerNorm.weight", "cls.predictions.transform.dense.bias",
          "cls.predictions.transform.dense.weight"));
  LoadReport report;
  const auto copy = load(folder.path(), &report);
  EXPECT_TRUE(report.missing.empty());
  EXPECT_TRUE(copy->parameters().values().equal(fixture.model->parameters().values()));
}

// As sentence-transformers' models are.
TEST(MaskedBert, AFolderWithoutTheHeadLacksIt) {
  LoadReport report;
  load(testing::test_data("models/rte-teacher"), &report);
  EXPECT_EQ(report.missing.size(), 5U);
  EXPECT_THAT(report.missing, ::testing::Contains("cls.predictions.bias"));
  EXPECT_THAT(report.unexpected,
              ::testing::UnorderedElementsAre("classifier.bias", "classifier.weight"));
}

TEST(MaskedBert, IsNoClassifierAndDoesNotGoFromLeftToRight) {
  Fixture fixture;
  EXPECT_THROW(fixture.model->forward(fixture.batch(kAll), {}), std::logic_error);
  ModelSpec spec;
  spec.config = fixture.model->config();
  EXPECT_THAT(testing::user_error_of([&] { make_language_model(spec); }),
              HasSubstr("does not go from left to right"));
  Batch batch = fixture.batch(kAll);
  batch.ragged.at(field::kTokens).values[1] = 100000;
  EXPECT_THAT(testing::user_error_of([&] { fixture.model->target_losses(batch, {}); }),
              HasSubstr("the tokenizer is another model's"));
}

}  // namespace
}  // namespace kdbench::masked_bert_test
