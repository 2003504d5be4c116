// SPDX-License-Identifier: MIT
#include "tests/bench/workload.h"

#include <cmath>
#include <numeric>
#include <random>

#include "io/batches/dataset.h"
#include "methods/models/registry.h"
#include "tests/bench/measure.h"

namespace kdbench {

// The quantiles (i + 1/2) / 32 of the training rows' lengths with bert-base-uncased's vocabulary.
constinit const LengthMix kMrpc{"mrpc",
                                {28, 32, 35, 37, 38, 40, 41, 43, 44, 45, 46, 48, 49, 50, 52, 53,
                                 54, 55, 56, 58, 59, 60, 61, 62, 63, 64, 66, 68, 69, 72, 75, 81},
                                true};
constinit const LengthMix kSst2{"sst2",
                                {3,  4,  4,  5,  5,  5,  6,  6,  6,  7,  7,  8,  8,  9,  9,  10,
                                 11, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 24, 26, 29, 34, 42},
                                false};

ModelConfig config_of(const Shape& shape) {
  ModelConfig config = find_architecture("bert").defaults;
  config.vocabulary = shape.vocabulary;
  config.layers = shape.layers;
  config.hidden = shape.hidden;
  config.heads = shape.heads;
  config.intermediate = shape.intermediate;
  config.labels = {"0", "1"};
  return config;
}

std::unique_ptr<Model> make_bench_model(const Shape& shape,
                                        const std::vector<ExtraParameter>& extra) {
  ModelSpec spec;
  spec.config = config_of(shape);
  spec.extra = extra;
  spec.device = bench_device();
  auto model = make_model(spec);
  initialize_parameters(*model, 1);
  return model;
}

std::shared_ptr<const FeatureSplit> make_features(const LengthMix& mix, const Shape& shape) {
  FeatureSlice split;
  split.name = "train";
  split.source_sha256 = "made up";
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform;
  const size_t rows = mix.lengths.size();
  for (size_t row = 0; row < rows; ++row) {
    const int64_t length = mix.lengths[row * 7 % rows];  // 7 and 32 have no common divisor
    for (int64_t i = 0; i < length; ++i) {
      // The density of V^u falls as 1/x.
      const double id = std::pow(static_cast<double>(shape.vocabulary), uniform(random));
      split.tokens.push_back(static_cast<int32_t>(id) % static_cast<int32_t>(shape.vocabulary));
    }
    split.offsets.push_back(static_cast<int64_t>(split.tokens.size()));
    split.first_segment.push_back(static_cast<int32_t>(mix.pairs ? length / 2 : length));
    split.row_ids.push_back(static_cast<int64_t>(row));
    split.labels.push_back(row % 2 ? "1" : "0");
  }
  return std::make_shared<FeatureSplit>(std::move(split));
}

Batch make_batch(const LengthMix& mix, const Shape& shape) {
  const auto data = make_dataset(make_features(mix, shape), {"0", "1"});
  std::vector<int64_t> rows(static_cast<size_t>(data->rows()));
  std::iota(rows.begin(), rows.end(), 0);
  return data->batch(rows, data->rows());
}

double forward_flops(const Model& model, const LengthMix& mix) {
  double flops = 0.0;
  for (const int64_t length : mix.lengths) flops += model.forward_flops(length);
  return flops;
}

}  // namespace kdbench
