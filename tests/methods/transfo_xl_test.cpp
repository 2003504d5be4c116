// SPDX-License-Identifier: MIT
// Transformer-XL against another program's numbers.
#include "methods/models/transfo_xl.h"

#include "methods/models/checkpoint.h"
#include "methods/models/registry.h"
#include "methods/ops/distance_attention.h"
#include "tests/methods/decoder_check.h"
#include "tests/methods/language_fixture.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::transfo_xl_test {
namespace {

using testing::Ids;
using testing::largest;
using testing::numbers;
using testing::Tensors;

const std::vector<std::string> kFixtures = {"transfoxl-tiny", "transfoxl-tiny-div2"};

// Odd in every way: widths that differ everywhere, three clusters, one projection of its own.
ModelConfig odd_config(int64_t division) {
  ModelConfig config = find_architecture("transfo-xl").defaults;
  config.vocabulary = 40;
  config.cutoffs = {10, 20};
  config.layers = 2;
  config.hidden = 14;
  config.embedding = 12;
  config.cluster_division = division;
  config.heads = 3;
  config.head_size = 5;
  config.intermediate = 9;
  config.memory = 6;
  config.segment = 4;
  config.tied_projections = {false, true};
  config.initializer_range = 0.3;
  config.set_dropout(0.0);
  return config;
}

std::unique_ptr<LanguageModel> model_of(const ModelConfig& config) {
  ModelSpec spec;
  spec.config = config;
  auto model = make_language_model(spec);
  initialize_parameters(*model, 5);
  return model;
}

const std::vector<Ids> kRows = {{2, 19, 38, 7, 3, 11, 25, 0, 1, 39, 12}, {4}, {30, 5, 5, 21, 6}};
Batch odd_rows() { return testing::make_batch(kRows, {0, 0, 0}, {4, 0, 70000}); }

TEST(DistanceAttention, Differentiates) {
  const Tensors inputs = {numbers({3, 2, 4}),    numbers({5, 2, 4}, 1), numbers({5, 2, 4}, 2),
                          numbers({7, 2, 4}, 3), numbers({2, 4}, 4),    numbers({2, 4}, 5)};
  for (const DistanceView& view : {DistanceView{0, 0}, DistanceView{2, 0}, DistanceView{2, 4}}) {
    testing::expect_differentiates(
        [&](const Tensors& in) {
          return distance_attention(in[0], in[1], in[2], in[3], in[4], in[5], view);
        },
        inputs);
  }
}

TEST(TransfoXl, LossesAndGradientsOfTheFixtures) {
  for (const auto& name : kFixtures) {
    KDBENCH_NEED_SHARED(folder, "fixtures/lm/" + name);
    SCOPED_TRACE(name);
    testing::LanguageFixture fixture(folder);
    testing::expect_losses_and_gradients(fixture);
  }
}

TEST(TransfoXl, WithoutTheMemoryOfZeros) {
  for (const auto& name : kFixtures) {
    KDBENCH_NEED_SHARED(folder, "fixtures/lm/" + name);
    SCOPED_TRACE(name);
    testing::LanguageFixture fixture(folder);
    ModelConfig config = fixture.model->config();
    config.zero_memory = false;
    const auto model = model_of(config);
    initialize_from_checkpoint(*model, folder, "weights");
    const at::Tensor losses = model->target_losses(fixture.batch(), {}).detach();
    EXPECT_LT(largest(losses + fixture.expected.at("target_logprobs_empty_memory")), 1e-4);
  }
}

TEST(TransfoXl, MemoryOfTheFixtures) {
  for (const auto& name : kFixtures) {
    KDBENCH_NEED_SHARED(folder, "fixtures/lm/" + name);
    SCOPED_TRACE(name);
    testing::LanguageFixture fixture(folder);
    Ids inputs = fixture.rows[0];
    inputs.pop_back();
    const Batch batch = testing::make_batch({fixture.rows[1], inputs}, {0, 0}, {1, 0});
    const at::Tensor memory = transfo_xl_memory(*fixture.model, batch, 1);
    EXPECT_LT(largest(memory - fixture.expected.at("memory")), 1e-4);
  }
}

TEST(TransfoXl, DecodingOfTheFixtures) {
  for (const auto& name : kFixtures) {
    KDBENCH_NEED_SHARED(folder, "fixtures/lm/" + name);
    SCOPED_TRACE(name);
    testing::LanguageFixture fixture(folder);
    testing::expect_decoding(fixture);
    const auto decoder = fixture.model->decoder(1, 64);
    for (size_t row = 0; row < fixture.rows.size(); ++row) {
      Ids inputs = fixture.rows[row];
      inputs.pop_back();
      const at::Tensor scores = testing::scores_behind(*decoder, inputs);
      const at::Tensor expected = fixture.expected.at("last_logprobs")[static_cast<int64_t>(row)];
      EXPECT_LT(largest(scores - expected), 1e-4) << "row " << row;
    }
  }
}

TEST(TransfoXl, DecoderDoesNotDependOnCompany) {
  for (const int64_t division : {1, 2})
    testing::expect_decodes_alone(*model_of(odd_config(division)), 40);
}

// Of other widths than the fixtures': the decoder's scores against the losses, which go other ways.
TEST(TransfoXl, OddSizesDecodeAsTheyAreTrained) {
  for (const int64_t division : {1, 2}) {
    for (const bool same_length : {true, false}) {
      ModelConfig config = odd_config(division);
      config.same_length = same_length;
      const auto model = model_of(config);
      const at::Tensor losses = model->target_losses(odd_rows(), {}).detach();
      ASSERT_EQ(losses.size(0), 14);
      const auto decoder = model->decoder(1, 20);
      for (size_t i = 1; i < kRows[0].size(); ++i) {
        const at::Tensor scores = testing::scores_behind(
            *decoder, {kRows[0].begin(), kRows[0].begin() + static_cast<int64_t>(i)});
        EXPECT_NEAR(-scores[kRows[0][i]].item<double>(),
                    losses[static_cast<int64_t>(i) - 1].item<double>(), 1e-4);
        EXPECT_NEAR(scores.exp().sum().item<double>(), 1.0, 1e-5);
      }
    }
  }
}

TEST(TransfoXl, GradientsWithDropout) {
  ModelConfig config = odd_config(2);
  config.set_dropout(0.2);
  const auto model = model_of(config);
  for (const auto& segment : model->parameters().layout().segments()) {
    if (segment.name.find("_projs.") != std::string::npos)
      at::Tensor(model->parameters()[segment.name].detach()).mul_(10);  // begin very small
  }
  ForwardMode mode;
  mode.training = true;
  mode.key = {3, 4};
  // One segment a row: no gradient flows into memory.
  const Batch batch = testing::make_batch({{2, 19, 38, 7}, {5, 25, 11}}, {0, 0}, {4, 9});
  const auto loss = [&] { return model->target_losses(batch, mode).mean(); };
  loss().backward();
  const at::NoGradGuard no_gradients;
  const float step = 2e-3f;
  for (const auto& segment : model->parameters().layout().segments()) {
    at::Tensor values = model->parameters().values().narrow(0, segment.offset, segment.size);
    const at::Tensor gradient =
        model->parameters().gradients().narrow(0, segment.offset, segment.size);
    const int64_t e = gradient.abs().argmax().item<int64_t>();
    const float value = values[e].item<float>();
    values[e].fill_(value + step);
    const double above = loss().item<double>();
    values[e].fill_(value - step);
    const double below = loss().item<double>();
    values[e].fill_(value);
    const double slope = (above - below) / (2 * step);
    EXPECT_NEAR(gradient[e].item<double>(), slope, 0.05 * std::abs(slope) + 1e-3) << segment.name;
  }
}

TEST(TransfoXl, DropoutIsKeyedByRow) {
  ModelConfig config = odd_config(1);
  config.set_dropout(0.3);
  const auto model = model_of(config);
  ForwardMode mode;
  mode.training = true;
  mode.key = {3, 4};
  const at::Tensor all = model->target_losses(odd_rows(), mode).detach();
  const Batch alone = testing::make_batch({kRows[2]}, {0}, {70000});
  testing::expect_close(model->target_losses(alone, mode).detach(), all.narrow(0, 10, 4), 1e-5,
                        "the third row alone");
}

TEST(TransfoXl, NoRowsAndNoTargets) {
  const auto model = model_of(odd_config(2));
  for (const auto& rows : std::vector<std::vector<Ids>>{{}, {{3}}}) {
    const Batch batch = testing::make_batch(rows, Ids(rows.size()), Ids(rows.size()));
    const at::Tensor losses = model->target_losses(batch, {});
    EXPECT_EQ(losses.size(0), 0);
  }
}

TEST(TransfoXl, FolderAndBack) {
  const testing::TempFolder folder;
  for (const int64_t division : {1, 2}) {
    const auto model = model_of(odd_config(division));
    save_checkpoint(*model, folder.path());
    ModelSpec spec;
    spec.config = read_model_config(folder.path());
    EXPECT_TRUE(spec.config.unused_keys.empty());
    EXPECT_EQ(to_config_json(spec.config), to_config_json(model->config()));
    const auto copy = make_language_model(spec);
    const LoadReport report = initialize_from_checkpoint(*copy, folder.path(), "weights");
    EXPECT_TRUE(report.missing.empty() && report.unexpected.empty());
    EXPECT_TRUE(copy->parameters().values().equal(model->parameters().values()));
  }
}

TEST(TransfoXl, ConfigsThatCannotBeUsed) {
  const testing::TempFolder folder;
  folder.write("config.json",
               R"({"model_type": "transfo-xl", "vocab_size": 50, "n_layer": 1, "d_model": 7,
                   "n_head": 2, "d_head": 3, "d_inner": 5, "cutoffs": [20, 20], "untie_r": false,
                   "pre_lnorm": true, "attn_type": 2, "tie_projs": [1]})");
  const std::string text = testing::user_error_of([&] { read_model_config(folder.path()); });
  for (const char* part : {"d_model: must be even", "cutoffs: must rise", "untie_r: false is not",
                           "pre_lnorm: true is not", "attn_type: 2", "tie_projs: must be a list"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

}  // namespace
}  // namespace kdbench::transfo_xl_test
