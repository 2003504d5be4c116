// SPDX-License-Identifier: MIT
// Every entry of the registry does what the rest of the program asks of it, and the two encoders'
// figures are those worked out by hand.
#include "methods/models/architecture.h"

#include <gmock/gmock.h>

#include <set>

#include "io/base/sha256.h"
#include "methods/models/registry.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny.h"

namespace kdbench {
namespace {

using ::testing::SizeIs;

ModelConfig config_of(const Architecture& architecture, const Preset& preset) {
  ModelConfig config = architecture.defaults;
  Sizes sizes = preset.sizes;
  architecture.complete(sizes);
  for (const auto& key : architecture.sizes) {
    if (sizes.contains(key.spec.name)) config.*key.member = sizes.at(key.spec.name);
  }
  config.vocabulary = 100;
  config.labels = {"no", "yes"};
  return config;
}

std::unique_ptr<Model> outline(const ModelConfig& config) {
  ModelSpec spec;
  spec.config = config;
  spec.device = at::kMeta;
  return make_model(spec);
}

template <typename Check>
void for_each_preset(const Check& check) {
  for (const auto& architecture : all_architectures()) {
    for (const auto& preset : architecture.presets) {
      SCOPED_TRACE(preset.name);
      check(architecture, config_of(architecture, preset));
    }
  }
}

TEST(Architectures, SizesHaveDefaultsOrAreNeeded) {
  for (const auto& architecture : all_architectures()) {
    SCOPED_TRACE(architecture.name);
    EXPECT_FALSE(architecture.summary.empty());
    EXPECT_EQ(architecture.defaults.architecture, architecture.name);
    std::set<std::string> names;
    for (const auto& key : architecture.sizes) {
      EXPECT_TRUE(names.insert(key.spec.name).second) << key.spec.name;
      EXPECT_TRUE(!key.needed || !key.spec.absent.empty()) << key.spec.name;
      if (!key.spec.absent.empty()) continue;
      EXPECT_EQ(std::get<int64_t>(key.spec.fallback), architecture.defaults.*key.member)
          << key.spec.name;
    }
    for (const auto& preset : architecture.presets) {
      EXPECT_THAT(architecture.conflicts(preset.sizes), SizeIs(0)) << preset.name;
      for (const auto& key : architecture.sizes) {
        EXPECT_TRUE(!key.needed || preset.sizes.contains(key.spec.name)) << preset.name;
      }
      EXPECT_EQ(&find_preset(preset.name).preset, &preset);
    }
  }
}

TEST(Architectures, ConfigsSurviveTheirFile) {
  const testing::TempFolder folder;
  for_each_preset([&](const Architecture&, const ModelConfig& config) {
    folder.write("config.json", to_config_json(config).dump());
    const ModelConfig found = read_model_config(folder.path());
    EXPECT_EQ(to_config_json(found), to_config_json(config));
    EXPECT_EQ(found.longest_row(), config.longest_row());
  });
}

TEST(Architectures, NamesLeadToFilesAndBack) {
  for_each_preset([](const Architecture& architecture, const ModelConfig& config) {
    const CheckpointNames& names = architecture.names;
    const auto model = outline(config);
    int64_t prefixed = 0, needed = 0;
    std::set<std::string> first_layer;
    for (const auto& segment : model->parameters().layout().segments()) {
      const std::string file_name = names.file_name(segment.name);
      EXPECT_EQ(names.own_name(file_name), segment.name);
      prefixed += file_name == names.prefix + segment.name;
      needed += names.must_be_there(segment.name);
      if (segment.name.starts_with(names.layer + "0.")) first_layer.insert(segment.name);
    }
    EXPECT_GT(prefixed, 0);
    EXPECT_GT(needed, 0);
    EXPECT_EQ(first_layer.empty(), names.layer.empty());
    EXPECT_FALSE(names.must_be_there(model->classifier() + ".weight"));
    EXPECT_GT(model->forward_flops(8), 0.0);
    EXPECT_GT(architecture.activation_floats(config), 0);
  });
}

TEST(Encoders, NamesOfFiles) {
  const CheckpointNames& names = find_architecture("bert").names;
  EXPECT_EQ(names.own_name("bert.embeddings.LayerNorm.gamma"), "embeddings.LayerNorm.weight");
  EXPECT_EQ(names.own_name("encoder.layer.0.output.LayerNorm.beta"),
            "encoder.layer.0.output.LayerNorm.bias");
  EXPECT_EQ(names.wrapper_of("bert.embeddings.word_embeddings.weight"), "");
  EXPECT_EQ(names.wrapper_of("module.bert.embeddings.word_embeddings.weight"), "module.");
  EXPECT_EQ(names.wrapper_of("model.embeddings.word_embeddings.weight"), "model.");
  EXPECT_EQ(names.wrapper_of("module.classifier.weight"), std::nullopt);
  EXPECT_EQ(names.file_name("pooler.dense.bias"), "bert.pooler.dense.bias");
  EXPECT_EQ(names.file_name("classifier.bias"), "classifier.bias");
  EXPECT_FALSE(names.must_be_there("pooler.dense.bias"));
  EXPECT_EQ(find_architecture("roberta").names.file_name("encoder.x"), "roberta.encoder.x");
  EXPECT_EQ(find_architecture("roberta").names.own_name("classifier.dense.bias"),
            "classifier.dense.bias");
}

TEST(Encoders, MatricesDecayAlone) {
  const auto model = testing::tiny_bert(1, 1);
  for (const auto& segment : model->parameters().layout().segments()) {
    EXPECT_EQ(segment.decay, segment.shape.size() == 2) << segment.name;
  }
}

TEST(Encoders, FirstValues) {
  const Architecture& bert = find_architecture("bert");
  EXPECT_EQ(bert.first_values("x.LayerNorm.weight", bert.defaults).constant, 1.0);
  EXPECT_FALSE(bert.first_values("x.LayerNorm.weight", bert.defaults).deviation.has_value());
  EXPECT_EQ(bert.first_values("x.LayerNorm.bias", bert.defaults).constant, 0.0);
  EXPECT_EQ(bert.first_values("x.weight", bert.defaults).deviation, 0.02);
}

TEST(Encoders, WhatATokenLeavesForBackward) {
  // The embedding's 32; one whole layer 8 x 16 + 2 x 32; Q, K, V and the context 64 of the last,
  // and a layer's gradients 48 + 64.
  EXPECT_EQ(find_architecture("bert").activation_floats(testing::tiny_bert(1)->config()), 400);
}

TEST(Encoders, ConflictsOfSizes) {
  const auto& conflicts = find_architecture("bert").conflicts;
  EXPECT_THAT(conflicts({{"hidden", 10}}), SizeIs(0));
  const auto found = conflicts({{"hidden", 10}, {"heads", 3}});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].key, "heads");
}

// What initial weights depend on is hashed by this text: finished stages are found by it.
TEST(Encoders, ConfigsKeepTheirBytes) {
  const auto hash = [](const std::string& name) {
    const auto [architecture, preset] = find_preset(name);
    return sha256(to_config_json(config_of(architecture, preset)).dump());
  };
  EXPECT_EQ(hash("bert-mini"), "91c6fe19c074ca395b5f6c1e94d74eabf5b00d148f51381e11030e3ee8f910e6");
  EXPECT_EQ(hash("distilroberta"),
            "c544b9ad4ef6127669d57f347125a3a9aa18d56e955e6faf3f01fa60a700da92");
}

}  // namespace
}  // namespace kdbench
