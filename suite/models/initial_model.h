// SPDX-License-Identifier: MIT
// From what an experiment says of a model to all that decides its network and first weights: found
// once, and carried from there to the plan, the keys of stages and the network itself.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/tasks/task.h"
#include "methods/models/architecture.h"
#include "methods/models/model_config.h"
#include "methods/models/parameters.h"
#include "suite/models/model_settings.h"

namespace kdbench {

// A model as it begins.
struct InitialModel {
  ModelSettings settings;
  ModelConfig config;  // labels in the order of the classifier's rows
  const Task* task = nullptr;
  uint64_t seed = 1;
  bool frozen = false;          // used without training
  bool labels_assumed = false;  // the checkpoint does not name them: the task's order is taken
  std::vector<std::string> other_labels = {};  // what it names, where those are not the task's
  std::string other_task = {};  // that it was fine-tuned on, as it says, where that is not `task`
  std::vector<ExtraParameter> extra;
  // The fine-tuned teacher's folder, for init_from = "teacher"; absent until it is there.
  std::optional<std::filesystem::path> teacher_folder = {};

  // The folder that init reads: the fine-tuned teacher's, or the model's own; none when everything
  // is random.
  std::optional<std::filesystem::path> weights() const;
  // What one must know who reads scores of it, a line each, for its record: of a frozen model that
  // it is another task's, or its outputs were taken for labels that it does not name.
  std::vector<std::string> remarks() const;
};

// The model of these settings on `task`; `dropout`: all of it, when given. Reads config.json, of a
// model without weights the vocabulary, if it is there already. Local; throws a user error when
// sizes are missing.
InitialModel initial_model(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout = std::nullopt);

// Its config alone: sizes, dropout and its labels for `task`, in the checkpoint's own order when it
// names exactly the task's labels, else the task's; none for regression.
ModelConfig resolve_config(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout);

// The config.json of its folder, which there is. Local; throws user errors.
ModelConfig folder_config(const ModelSettings& settings);

// The kind of network: as the settings say, else the folder's config.json. Local; throws user
// errors.
const Architecture& architecture_of(const ModelSettings& settings);

// Whether its tokens are the words of its data: no vocabulary is named, and its kind takes words.
bool reads_own_words(const ModelSettings& settings);

// Where a model's tokenizer files for a task lie.
std::filesystem::path tokenizer_folder(const ModelSettings& settings, const Task& task);

// How it reads the task's rows.
RowLayout layout_of(const ModelSettings& settings, const Task& task);

// A model's own order of the task's labels, as the task writes them ("ENTAILMENT" is entailment, of
// CoLA "acceptable" is 1); nothing when its names are not the task's.
std::optional<std::vector<std::string>> own_order(const std::vector<std::string>& own,
                                                  const Task& task);

// What the first weights depend on, for the keys of stages and runs. Local; hashes weight files.
nlohmann::json model_inputs(const InitialModel& model);

}  // namespace kdbench
