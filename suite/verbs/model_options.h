// SPDX-License-Identifier: MIT
// What the verbs that use a saved model have in common: the model, the data, and how its rows are
// cut.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "methods/models/model_config.h"
#include "suite/stages/rows/features.h"
#include "suite/verbs/own_tasks.h"
#include "suite/verbs/session.h"
#include "suite/verbs/verb.h"

namespace kdbench {

struct ModelOptions {
  std::string model, data;     // folders
  int64_t max_seq_length = 0;  // 0: not given
  bool any_labels = false;     // another task's model too
  OwnTaskOptions own;          // with the task of the run that has left the model
  SessionOptions session;

  std::string trained_on;  // the task of the run that has left the model; "" when that is not known
};

// --model, --data, --max-seq-length, --declared-in and the session's options.
void add_model_options(CLI::App& app, ModelOptions& options);

// Looks for the run that has left the model: `model` may be its folder, and then becomes the model
// in it. Takes the run's max_seq_length where none is given, and its task. A run without a model is
// a problem. Reads the tasks of the user's own too. Local; reads run.json and --declared-in.
void take_run(ModelOptions& options, Problems& problems);

// Rows of the task as the model's tokenizer cuts them, without the training rows.
FeatureRequest feature_request(const ModelOptions& options, const Task& task);

// What is wrong with the folders, each by itself and together; the model is not looked at when
// there are problems already. Local. Returns its sizes when they can be read.
std::optional<ModelConfig> check_model_options(const ModelOptions& options, Problems& problems);

// Adds what is wrong with the model's weights, labels or classifier for `tasks`; nothing when there
// are problems already. Local.
void check_trained_model(const ModelOptions& options, const std::vector<std::string>& tasks,
                         Problems& problems);

}  // namespace kdbench
