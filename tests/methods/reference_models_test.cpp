// SPDX-License-Identifier: MIT
// A real model's folder, and its states as transformers computes them.
#include <gtest/gtest.h>

#include "io/base/sha256.h"
#include "methods/models/checkpoint.h"
#include "methods/models/initialization.h"
#include "methods/models/model_config.h"
#include "tests/methods/reference_states.h"
#include "tests/support/shared_data.h"

namespace kdbench::reference_models_test {
namespace {

TEST(ReferenceModels, FolderOfMiniLm) {
  KDBENCH_NEED_SHARED(folder, "data/minilm-l6-h384");
  const ModelConfig config = read_model_config(folder);
  EXPECT_EQ(config.layers, 6);
  EXPECT_EQ(config.hidden, 384);
  EXPECT_EQ(config.heads, 12);
  EXPECT_EQ(config.intermediate, 1536);
  EXPECT_EQ(config.vocabulary, 30522);
  EXPECT_TRUE(config.labels.empty());
  const TensorMap weights = read_checkpoint(folder, config.architecture);
  EXPECT_EQ(weights.at("embeddings.word_embeddings.weight").sizes(), (at::IntArrayRef{30522, 384}));
  EXPECT_EQ(weights.at("encoder.layer.5.output.LayerNorm.bias").sizes(), (at::IntArrayRef{384}));
  EXPECT_EQ(model_weights_sha256(folder), file_sha256(folder / "model.safetensors"));
}

TEST(ReferenceModels, StatesOfMiniLm) {
  KDBENCH_NEED_SHARED(weights, "data/minilm-l6-h384");
  KDBENCH_NEED_SHARED(fixtures, "fixtures/forward/minilm");
  ModelSpec spec;
  spec.config = read_model_config(weights);
  const auto model = make_model(spec);
  const LoadReport report = initialize_from_checkpoint(*model, weights, "weights");
  EXPECT_EQ(report.missing, (std::vector<std::string>{"classifier.bias", "classifier.weight"}));
  EXPECT_EQ(report.unexpected, std::vector<std::string>{"embeddings.position_ids"});
  testing::expect_states("pairs", fixtures / "pairs.safetensors", *model);
  testing::expect_states("singles", fixtures / "singles.safetensors", *model);
}

}  // namespace
}  // namespace kdbench::reference_models_test
