// SPDX-License-Identifier: MIT
// Small made-up data and models for tests of the layers above them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/batches/dataset.h"
#include "io/stores/feature_store.h"
#include "io/stores/teacher_store.h"
#include "methods/models/registry.h"

namespace kdbench::testing {

inline constexpr int64_t kTinyVocabulary = 50;

// `rows` rows of 3 to 14 ids each, a pair when `row % 2`; labels "0" and "1" by a rule that a model
// can learn.
inline std::shared_ptr<const FeatureSplit> tiny_features(const std::string& name, int64_t rows) {
  FeatureSlice split;
  split.name = name;
  split.source_sha256 = "source of " + name;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t length = 3 + (row * 7) % 12;
    for (int64_t i = 0; i < length; ++i) {
      split.tokens.push_back(
          static_cast<int32_t>(4 + (row * 13 + i * (row % 5 + 1)) % (kTinyVocabulary - 4)));
    }
    split.labels.push_back(split.tokens[split.offsets.back()] % 2 ? "1" : "0");
    split.offsets.push_back(static_cast<int64_t>(split.tokens.size()));
    split.first_segment.push_back(static_cast<int32_t>(row % 2 ? length / 2 : length));
    split.row_ids.push_back(row);
  }
  return std::make_shared<FeatureSplit>(std::move(split));
}

inline std::shared_ptr<const TeacherSplit> tiny_teacher(const FeatureSplit& features,
                                                        int64_t classes = 2) {
  TeacherSlice split;
  split.name = features.name;
  split.source_sha256 = features.source_sha256;
  split.row_ids.assign(features.row_ids.begin(), features.row_ids.end());
  split.label_order = {"0", "1"};
  split.classes = classes;
  for (int64_t i = 0; i < features.rows() * classes; ++i) {
    split.logits.push_back(0.25f * static_cast<float>((i * 11) % 17 - 8));
  }
  return std::make_shared<TeacherSplit>(std::move(split));
}

inline std::unique_ptr<Model> tiny_bert(uint64_t seed, int64_t layers = 2, double dropout = 0.1) {
  ModelSpec spec;
  spec.config = find_architecture("bert").defaults;
  spec.config.vocabulary = kTinyVocabulary;
  spec.config.layers = layers;
  spec.config.hidden = 16;
  spec.config.heads = 2;
  spec.config.intermediate = 32;
  spec.config.max_positions = 16;
  spec.config.set_dropout(dropout);
  spec.config.initializer_range = 0.2;
  spec.config.labels = {"0", "1"};
  spec.outputs = 2;
  auto model = make_model(spec);
  initialize_parameters(*model, seed);
  return model;
}

}  // namespace kdbench::testing
