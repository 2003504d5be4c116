// SPDX-License-Identifier: MIT
// How a model is trained: the keys of [train] of an experiment and of the tables over it. A new key
// is a member here and a row of train_keys().
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "methods/options/options.h"

namespace kdbench {

// Resolved, with the defaults. Means the same for every method.
struct TrainSettings {
  int64_t batch_size = 32;
  int64_t micro_batch = 0;
  int64_t epochs = 3;
  double learning_rate = 5e-5;
  std::string optimizer = "adamw";
  std::string schedule = "linear";
  double warmup = 0.1;
  double weight_decay = 0.01;
  double clip = 1.0;
  std::optional<double> dropout;
  std::string precision = "fp32";
  std::string reduce_dtype = "fp32";
  bool shuffle = true;
  std::string checkpoint = "last";
  std::string best_metric = "auto";
  int64_t eval_steps = 0;
  double checkpoint_minutes = 30.0;
  int64_t checkpoint_steps = 0;
  std::vector<int64_t> seeds{1};
};

struct TrainKey {
  OptionSpec spec;
  std::variant<bool TrainSettings::*, int64_t TrainSettings::*, double TrainSettings::*,
               std::string TrainSettings::*, std::vector<int64_t> TrainSettings::*,
               std::optional<double> TrainSettings::*>
      member;
  bool searched = true;  // may stand in [method.grid.train]
  // Came when results were about that do not know it: to_json leaves its fallback out, so that they
  // keep their hashes.
  bool later = false;
  // No result depends on it: to_json leaves it out.
  bool shapes_result = true;
};

// Every key of [train]: what it means, what it takes and where its value lies.
const std::vector<TrainKey>& train_keys();

// The written keys of one [..train] table, by name, of their keys' types; the rest falls through
// to the table below.
using TrainLayer = std::map<std::string, OptionValue>;

// Puts what `layer` says over `settings`.
void overlay(const TrainLayer& layer, TrainSettings& settings);
// The defaults with `layers` over them, the later one winning.
TrainSettings settings_of(const std::vector<const TrainLayer*>& layers);

// For run.json, and the hash of what depends on it: all keys that shape results but later ones at
// their fallback, null for one without a value.
nlohmann::json to_json(const TrainSettings& settings);

}  // namespace kdbench
