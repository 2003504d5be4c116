// SPDX-License-Identifier: MIT
// GPT-2 against another program's numbers, and against its definition written plainly.
#include "methods/models/gpt2.h"

#include "io/base/error.h"
#include "methods/models/checkpoint.h"
#include "methods/models/registry.h"
#include "methods/ops/token_draw.h"
#include "tests/methods/decoder_check.h"
#include "tests/methods/language_fixture.h"
#include "tests/support/shared_data.h"
#include "tests/support/temp_folder.h"
#include "tests/support/user_error.h"

namespace kdbench::gpt2_test {
namespace {

using testing::Ids;
using testing::largest;

std::unique_ptr<LanguageModel> small_gpt2(double dropout = 0.0, at::Device device = at::kCPU) {
  ModelSpec spec;
  spec.config = find_architecture("gpt2").defaults;
  spec.config.vocabulary = 20;
  spec.config.layers = 2;
  spec.config.hidden = 12;
  spec.config.heads = 2;
  spec.config.intermediate = 30;
  spec.config.max_positions = 40;
  spec.config.initializer_range = 0.3;
  spec.config.set_dropout(dropout);
  spec.device = device;
  auto model = make_language_model(spec);
  initialize_parameters(*model, 5);
  return model;
}

// The scores at every position of one row, in double precision.
at::Tensor plain_scores(const LanguageModel& model, const Ids& ids) {
  const auto p = [&](const std::string& name) {
    return model.parameters()[name].detach().to(at::kDouble);
  };
  const ModelConfig& c = model.config();
  const auto length = static_cast<int64_t>(ids.size());
  const auto norm = [&](const at::Tensor& x, const std::string& name) {
    return at::layer_norm(x, {c.hidden}, p(name + ".weight"), p(name + ".bias"), c.layer_norm_eps);
  };
  const auto dense = [&](const at::Tensor& x, const std::string& name) {
    return x.matmul(p(name + ".weight")) + p(name + ".bias");
  };
  at::Tensor x = p("wte.weight").index_select(0, at::tensor(ids, at::kLong)) +
                 p("wpe.weight").narrow(0, 0, length);
  const int64_t size = c.hidden / c.heads;
  const at::Tensor later = at::ones({length, length}, at::kBool).triu(1);
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    const std::string h = "h." + std::to_string(layer) + ".";
    const at::Tensor qkv = dense(norm(x, h + "ln_1"), h + "attn.c_attn");
    const auto part = [&](int64_t which) {
      return qkv.narrow(1, which * c.hidden, c.hidden)
          .view({length, c.heads, size})
          .transpose(0, 1);
    };
    const at::Tensor scores = part(0).matmul(part(1).transpose(1, 2)) / std::sqrt(double(size));
    const at::Tensor weights =
        at::softmax(scores.masked_fill(later, -std::numeric_limits<double>::infinity()), 2);
    const at::Tensor context = weights.matmul(part(2)).transpose(0, 1).reshape({length, c.hidden});
    x = x + dense(context, h + "attn.c_proj");
    const at::Tensor z = dense(norm(x, h + "ln_2"), h + "mlp.c_fc");
    const at::Tensor gelu =
        0.5 * z * (1 + at::tanh(std::sqrt(2 / M_PI) * (z + 0.044715 * z * z * z)));
    x = x + dense(gelu, h + "mlp.c_proj");
  }
  return norm(x, "ln_f").matmul(p("wte.weight").t());
}

at::Tensor plain_losses(const LanguageModel& model, const Ids& ids) {
  const auto count = static_cast<int64_t>(ids.size()) - 1;
  const at::Tensor targets = at::tensor(ids, at::kLong).narrow(0, 1, count).unsqueeze(1);
  return at::log_softmax(plain_scores(model, ids).narrow(0, 0, count), 1)
      .gather(1, targets)
      .squeeze(1)
      .neg();
}

const std::vector<Ids> kRows = {{2, 9, 8, 7, 3}, {4}, {2, 5, 5, 5, 6, 19, 0, 11, 12, 3}, {7, 1}};

Batch small_rows() { return testing::make_batch(kRows, {0, 0, 0, 0}, {4, 0, 70000, 17}); }

TEST(Gpt2, IsItsDefinition) {
  const auto model = small_gpt2();
  const at::Tensor losses = model->target_losses(small_rows(), {}).detach();
  const at::Tensor expected =
      at::cat({plain_losses(*model, kRows[0]), plain_losses(*model, kRows[2]),
               plain_losses(*model, kRows[3])});
  testing::expect_close(losses, expected, 1e-5, "losses");
  EXPECT_TRUE(target_offsets(small_rows()).equal(at::tensor({0, 4, 4, 13, 14}, at::kLong)));
}

TEST(Gpt2, FirstTargetsLeaveTheEarlierOut) {
  const auto model = small_gpt2();
  Batch batch = small_rows();
  batch.dense[field::kFirstTarget] = at::tensor({3, 0, 9, 5}, at::kLong);
  EXPECT_TRUE(target_offsets(batch).equal(at::tensor({0, 2, 2, 3, 3}, at::kLong)));
  const at::Tensor all = model->target_losses(small_rows(), {}).detach();
  testing::expect_close(model->target_losses(batch, {}).detach(),
                        all.index_select(0, at::tensor({2, 3, 12}, at::kLong)), 1e-6, "losses");
}

TEST(Gpt2, NoRowsAndNoTargets) {
  const auto model = small_gpt2();
  for (const auto& rows : std::vector<std::vector<Ids>>{{}, {{3}}}) {
    const Batch batch = testing::make_batch(rows, Ids(rows.size()), Ids(rows.size()));
    const at::Tensor losses = model->target_losses(batch, {});
    EXPECT_EQ(losses.size(0), 0);
    losses.sum().backward();
    EXPECT_EQ(largest(model->parameters().gradients()), 0.0);
  }
}

// Finite differences of the fast form, in float32: a parameter of each kind, in training with
// dropout.
TEST(Gpt2, GradientsAreThoseOfTheLossWithDropout) {
  const auto model = small_gpt2(0.2);
  ForwardMode mode;
  mode.training = true;
  mode.key = {3, 4};
  const auto loss = [&] { return model->target_losses(small_rows(), mode).mean(); };
  loss().backward();
  const at::NoGradGuard no_gradients;
  const float step = 1e-2f;
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
    EXPECT_NEAR(gradient[e].item<double>(), slope, 0.03 * std::abs(slope) + 1e-4) << segment.name;
  }
}

TEST(Gpt2, DropoutIsKeyedByRow) {
  const auto model = small_gpt2(0.3);
  ForwardMode mode;
  mode.training = true;
  mode.key = {3, 4};
  const at::Tensor all = model->target_losses(small_rows(), mode).detach();
  EXPECT_FALSE(at::allclose(all, model->target_losses(small_rows(), {}).detach()));
  const Batch alone = testing::make_batch({kRows[2]}, {0}, {70000});
  testing::expect_close(model->target_losses(alone, mode).detach(), all.narrow(0, 4, 9), 1e-5,
                        "the third row alone");
}

TEST(Gpt2, WhatDecaysAndBegins) {
  const auto model = small_gpt2();
  const Architecture& entry = find_architecture("gpt2");
  for (const auto& segment : model->parameters().layout().segments()) {
    EXPECT_EQ(segment.decay, segment.name.find("bias") == std::string::npos) << segment.name;
    EXPECT_FALSE(segment.token_table);
  }
  EXPECT_DOUBLE_EQ(*entry.first_values("h.0.mlp.c_proj.weight", model->config()).deviation, 0.15);
  EXPECT_DOUBLE_EQ(*entry.first_values("h.0.mlp.c_fc.weight", model->config()).deviation, 0.3);
  EXPECT_EQ(entry.first_values("h.1.ln_2.weight", model->config()).constant, 1.0);
}

TEST(Gpt2, PublishedNumbersOfParameters) {
  for (const auto& [name, count] : {std::pair("gpt2", 124439808), {"gpt2-medium", 354823168}}) {
    ModelSpec spec;
    spec.config = find_architecture("gpt2").defaults;
    const Sizes& sizes = find_preset(name).preset.sizes;
    spec.config.layers = sizes.at("layers");
    spec.config.hidden = sizes.at("hidden");
    spec.config.heads = sizes.at("heads");
    spec.config.intermediate = 4 * spec.config.hidden;
    spec.config.vocabulary = 50257;
    spec.device = at::kMeta;
    EXPECT_EQ(make_model(spec)->parameters().layout().parameter_count(), count) << name;
  }
}

TEST(Gpt2, HasNoClasses) {
  const auto model = small_gpt2();
  EXPECT_THROW(model->forward(small_rows(), {}), std::logic_error);
  ModelSpec spec;
  spec.config = find_architecture("bert").defaults;
  EXPECT_NE(testing::user_error_of([&] { make_language_model(spec); }).find("no language model"),
            std::string::npos);
}

TEST(Gpt2, FolderAndBackWithMasksPassedOver) {
  const testing::TempFolder folder;
  const auto model = small_gpt2();
  save_checkpoint(*model, folder.path());
  EXPECT_FALSE(to_config_json(model->config()).contains("id2label"));
  TensorMap tensors = read_safetensors(folder / "model.safetensors");
  EXPECT_TRUE(tensors.contains("transformer.h.1.attn.c_attn.weight"));
  TensorMap bare;  // as the files on the hub
  for (const auto& [name, tensor] : tensors)
    bare[name.substr(std::string("transformer.").size())] = tensor;
  bare["h.0.attn.bias"] = at::ones({1, 1, 40, 40});
  bare["lm_head.weight"] = tensors.at("transformer.wte.weight");
  write_safetensors(folder / "model.safetensors", bare);
  ModelSpec spec;
  spec.config = read_model_config(folder.path());
  EXPECT_EQ(to_config_json(spec.config), to_config_json(model->config()));
  const auto copy = make_language_model(spec);
  const LoadReport report = initialize_from_checkpoint(*copy, folder.path(), "weights", true);
  EXPECT_TRUE(report.missing.empty() && report.unexpected.empty() && report.notes.empty());
  EXPECT_TRUE(copy->parameters().values().equal(model->parameters().values()));
}

TEST(Gpt2, RowsAndIdsThatCannotBeRead) {
  const auto model = small_gpt2();
  const auto error_of = [&](const Ids& ids) {
    return testing::user_error_of(
        [&] { model->target_losses(testing::make_batch({ids}, {0}, {0}), {}); });
  };
  EXPECT_NE(error_of(Ids(41)).find("41 tokens"), std::string::npos);
  EXPECT_NE(error_of({1, 20}).find("vocabulary has 20"), std::string::npos);
  const auto decoder = model->decoder(1, 3);
  EXPECT_NE(testing::user_error_of([&] { decoder->advance({0}, {20}); }).find("id 20"),
            std::string::npos);
  decoder->read(0, {1, 2, 3});
  EXPECT_THROW(decoder->advance({0}, {1}), std::logic_error);
}

TEST(Gpt2, DecoderGivesTheScoresOfTheWholeText) {
  const auto model = small_gpt2();
  const auto decoder = model->decoder(3, 40);
  const Ids ids = {2, 5, 5, 5, 6, 19, 0, 11, 12, 3, 3, 3, 8, 9, 10, 1, 2, 3, 4, 5};
  const at::Tensor expected = plain_scores(*model, ids);
  for (size_t i = 0; i < ids.size(); ++i) {
    const at::Tensor scores = decoder->advance({2, 0}, {ids[i], 7});
    testing::expect_close(scores[0], expected[static_cast<int64_t>(i)], 1e-5, "scores");
  }
  EXPECT_EQ(decoder->length(2), 20);
  decoder->clear(2);
  testing::expect_close(decoder->advance({2}, {2})[0], expected[0], 1e-5, "begun anew");
}

TEST(Gpt2, DecoderDoesNotDependOnCompany) { testing::expect_decodes_alone(*small_gpt2(), 20); }

TEST(Gpt2, LossesAndGradientsOfTheFixture) {
  KDBENCH_NEED_SHARED(folder, "fixtures/lm/gpt2-tiny");
  testing::LanguageFixture fixture(folder);
  testing::expect_losses_and_gradients(fixture);
}

TEST(Gpt2, ScoresOfTheFixture) {
  KDBENCH_NEED_SHARED(folder, "fixtures/lm/gpt2-tiny");
  testing::LanguageFixture fixture(folder);
  const at::Tensor logits = fixture.expected.at("logits");
  const auto decoder = fixture.model->decoder(1, 64);
  int64_t position = 0;
  for (const auto& row : fixture.rows) {
    decoder->clear(0);
    for (const int64_t id : row)
      EXPECT_LT(largest(decoder->advance({0}, {id})[0] - logits[position++]), 2e-4);
  }
  EXPECT_EQ(position, logits.size(0));
}

TEST(Gpt2, DecodingOfTheFixture) {
  KDBENCH_NEED_SHARED(folder, "fixtures/lm/gpt2-tiny");
  testing::LanguageFixture fixture(folder);
  testing::expect_decoding(fixture);
}

TEST(Gpt2, LowPrecisionFollowsTheLosses) {
  KDBENCH_NEED_SHARED(folder, "fixtures/lm/gpt2-tiny");
  testing::LanguageFixture fixture(folder);
  const at::Tensor exact = fixture.model->target_losses(fixture.batch(), {}).detach();
  for (const auto& [type, tolerance] : {std::pair(at::kBFloat16, 0.05), {at::kHalf, 0.01}}) {
    ForwardMode mode;
    mode.type = type;
    const at::Tensor losses = fixture.model->target_losses(fixture.batch(), mode);
    EXPECT_EQ(losses.scalar_type(), at::kFloat);
    EXPECT_NEAR(losses.mean().item<double>(), exact.mean().item<double>(), tolerance);
    losses.mean().backward();
  }
}

}  // namespace
}  // namespace kdbench::gpt2_test
