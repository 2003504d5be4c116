// SPDX-License-Identifier: MIT
// The models and rows that the benchmarks compute with: real sizes, and rows as long as those of
// real tasks.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "io/batches/batch.h"
#include "io/stores/feature_store.h"
#include "methods/models/model.h"

namespace kdbench {

// Sizes of a BERT.
struct Shape {
  const char* name;
  int64_t layers, hidden, heads, intermediate, vocabulary;
};
inline constexpr Shape kStudent3x384{"student_3x384", 3, 384, 12, 1536, 30522};
inline constexpr Shape kMiniLm6x384{"minilm_6x384", 6, 384, 12, 1536, 30522};
inline constexpr Shape kBertBase12x768{"bert_base_12x768", 12, 768, 12, 3072, 30522};
inline constexpr Shape kSmall{"small", 2, 64, 2, 128, 1000};

// Numbers of tokens of a batch of rows, from the shortest to the longest.
struct LengthMix {
  const char* name;
  std::array<int64_t, 32> lengths;
  bool pairs;
};
extern const LengthMix kMrpc, kSst2;

ModelConfig config_of(const Shape& shape);
// Random weights, two classes.
std::unique_ptr<Model> make_bench_model(const Shape& shape,
                                        const std::vector<ExtraParameter>& extra = {});
// The mix's rows in a mixed order, with labels "0" and "1". Frequent ids recur as words do
// (Zipf).
std::shared_ptr<const FeatureSplit> make_features(const LengthMix& mix, const Shape& shape);
// All of them as one batch.
Batch make_batch(const LengthMix& mix, const Shape& shape);
// Useful work of a forward pass on the mix's rows.
double forward_flops(const Model& model, const LengthMix& mix);

}  // namespace kdbench
