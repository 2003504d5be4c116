// SPDX-License-Identifier: MIT
// What the verbs that use a saved model have in common: the model, the data, and how its rows are
// cut.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "methods/models/model_config.h"
#include "suite/stages/rows/features.h"
#include "suite/verbs/session.h"
#include "suite/verbs/verb.h"

namespace kdbench {

struct ModelOptions {
  std::string model, data;  // folders
  int64_t max_seq_length = 128;
  SessionOptions session;
};

// --model, --data, --max-seq-length and the session's options.
void add_model_options(CLI::App& app, ModelOptions& options);

// Rows of the task as the model's tokenizer cuts them, without the training rows.
FeatureRequest feature_request(const ModelOptions& options, const Task& task);

// What is wrong with the folders, each by itself and together. Local. Returns the model's sizes
// when they can be read.
std::optional<ModelConfig> check_model_options(const ModelOptions& options, Problems& problems);

// Adds what is wrong with the model's weights, labels or classifier for `tasks`; nothing when there
// are problems already. Local.
void check_trained_model(const ModelOptions& options, const std::vector<std::string>& tasks,
                         Problems& problems);

}  // namespace kdbench
