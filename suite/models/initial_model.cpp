// SPDX-License-Identifier: MIT
#include "suite/models/initial_model.h"

#include <algorithm>

#include "io/base/error.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/weight_files.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// Sizes of a model given by its architecture: all written in the experiment but the vocabulary,
// which the tokenizer has.
ModelConfig config_from_sizes(const ModelSettings& settings) {
  const Architecture& architecture = find_architecture(settings.architecture);
  Sizes sizes = settings.sizes;
  architecture.complete(sizes);
  ModelConfig config = architecture.defaults;
  for (const auto& key : architecture.sizes) {
    const auto found = sizes.find(key.spec.name);
    if (found != sizes.end()) config.*key.member = found->second;
  }
  if (settings.layers) config.layers = *settings.layers;
  if (config.vocabulary == 0)
    config.vocabulary = load_tokenizer(tokenizer_folder(settings))->vocabulary_size();
  Problems problems;
  for (const auto& key : architecture.sizes) {
    if (key.needed && config.*key.member <= 0)
      problems.add("model." + key.spec.name,
                   "a positive number is needed for a model without weights");
  }
  problems.throw_if_any("model");
  return config;
}

// With the labels that the checkpoint names.
ModelConfig own_config(const ModelSettings& settings, std::optional<double> dropout) {
  ModelConfig config =
      settings.weights ? read_model_config(*settings.weights) : config_from_sizes(settings);
  if (settings.layers) config.layers = *settings.layers;
  if (dropout) config.set_dropout(*dropout);
  return config;
}

void take_labels(const Task& task, ModelConfig& config) {
  config.labels = own_order(config.labels, task).value_or(task.labels);
}

bool has_named_labels(const Task& task) {
  return !task.regression() && task.labels != std::vector<std::string>{"0", "1"};
}

}  // namespace

std::optional<fs::path> InitialModel::weights() const {
  if (settings.init == "random") return std::nullopt;
  if (settings.init_from == "teacher") return teacher_folder;
  return settings.weights;
}

InitialModel initial_model(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout) {
  InitialModel model;
  model.settings = settings;
  model.task = &task;
  model.config = own_config(settings, dropout);
  model.labels_assumed = settings.weights && model.config.labels.empty() && has_named_labels(task);
  take_labels(task, model.config);
  return model;
}

ModelConfig resolve_config(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout) {
  return initial_model(settings, task, dropout).config;
}

fs::path tokenizer_folder(const ModelSettings& settings) {
  if (settings.tokenizer) return *settings.tokenizer;
  if (settings.weights) return *settings.weights;
  throw_user_error("model.tokenizer", "a model without weights needs the folder of a tokenizer");
}

std::optional<std::vector<std::string>> own_order(const std::vector<std::string>& own,
                                                  const Task& task) {
  std::vector<std::string> order;
  for (const auto& name : own) {
    for (const auto& label : task.labels) {
      if (ascii_lower(name) == ascii_lower(label)) order.push_back(label);
    }
  }
  const bool same =
      own.size() == task.labels.size() &&
      std::is_permutation(order.begin(), order.end(), task.labels.begin(), task.labels.end());
  return same ? std::optional(order) : std::nullopt;
}

nlohmann::json model_inputs(const InitialModel& model) {
  const auto folder = model.weights();
  return {{"config", to_config_json(model.config)},
          {"labels", model.config.labels},
          {"init", model.settings.init},
          {"init_from", model.settings.init_from},
          {"weights", folder ? model_weights_sha256(*folder) : "random"},
          {"seed", model.seed}};
}

}  // namespace kdbench
