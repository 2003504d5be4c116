// SPDX-License-Identifier: MIT
// How a model is trained, resolved: what [train] of an experiment and the tables over it say.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdbench {

// [train] and its overrides. Means the same for every method.
struct TrainSettings {
  int64_t batch_size = 32;  // rows of the global batch
  int64_t micro_batch = 0;  // rows per forward pass and rank; 0: the rank's whole share
  int64_t epochs = 3;
  double learning_rate = 5e-5;
  std::string optimizer = "adamw";
  std::string schedule = "linear";
  double warmup = 0.1;
  double weight_decay = 0.01;
  double clip = 1.0;
  std::optional<double> dropout;  // absent: the model's config.json
  std::string precision = "fp32";
  bool shuffle = true;
  std::string checkpoint = "last";  // last | best
  std::string best_metric = "auto";
  int64_t eval_steps = 0;
  std::vector<int64_t> seeds{1};
};

// For run.json, and the hash of what depends on it.
nlohmann::json to_json(const TrainSettings& settings);

}  // namespace kdbench
