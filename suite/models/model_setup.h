// SPDX-License-Identifier: MIT
// From an experiment's model settings to a network with weights: config, label order,
// initialisation.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/tasks/task.h"
#include "methods/models/model.h"
#include "suite/models/model_settings.h"
#include "suite/ranks/workspace.h"

namespace kdbench {

// Where a model's tokenizer files lie.
std::filesystem::path tokenizer_folder(const ModelSettings& settings);

// The model's sizes, its dropout (all of a model's when given) and its labels for `task`: the
// checkpoint's own order when it names exactly the task's labels, else the task's; none for
// regression. Throws a user error when sizes are missing.
ModelConfig resolve_config(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout);

struct ModelRequest {
  ModelSettings settings;
  const Task* task = nullptr;
  std::optional<double> dropout;
  uint64_t seed = 1;
  // Used without training: its classifier must be in the checkpoint, with the task's labels.
  bool frozen = false;
  std::vector<ExtraParameter> extra;
  // The order of labels to take; absent: the checkpoint's own. The classifier's rows follow.
  std::optional<std::vector<std::string>> labels;
  // The fine-tuned teacher's folder, for init_from = "teacher".
  std::optional<std::filesystem::path> teacher_folder;
};

// Builds and initialises a model: random by seed, then the weights that settings.init asks for.
// Collective (errors are agreed).
std::unique_ptr<Model> build_model(const ModelRequest& request, const Workspace& workspace);

// The same model without values, on the meta device. Local; reads no weights.
std::unique_ptr<Model> outline_model(const ModelRequest& request);

// A fine-tuned model, used as it is.
struct TrainedModel {
  std::unique_ptr<Model> model;
  const Task* task = nullptr;
  std::string sha256;  // of its weights
};

// From a Hugging Face folder whose classifier must be one for `task`. Collective.
TrainedModel load_trained_model(const std::filesystem::path& folder, const Task& task,
                                const Workspace& workspace);

// Finds what build_model would refuse on any of `tasks` before anything is trained: a vocabulary,
// or weights (read once, in full), that cannot be read or do not fit. `teacher`: for init_from =
// "teacher", may be null; `frozen`: as in ModelRequest. Takes no memory for the model. Local;
// throws a user error.
void check_model(const ModelSettings& settings, const ModelSettings* teacher, bool frozen,
                 const std::vector<const Task*>& tasks);

// What the initial weights depend on, for the keys of stages and runs. Local.
nlohmann::json model_inputs(const ModelRequest& request);

}  // namespace kdbench
