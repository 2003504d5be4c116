// SPDX-License-Identifier: MIT
#include "suite/models/initial_model.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/error.h"
#include "io/base/sha256.h"
#include "io/base/text.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/weight_files.h"
#include "methods/models/registry.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

// The vocabulary's part in it. Words of the data may not be in place yet: then there are none.
void take_vocabulary(const ModelSettings& settings, const Task& task, ModelConfig& config,
                     ModelUse& use) {
  use.whole_words = reads_own_words(settings);
  if (use.whole_words && !settings.words.contains(task.name)) return;
  if (config.vocabulary > 0 && !find_architecture(config.architecture).adapt) return;
  const auto tokenizer = load_tokenizer(tokenizer_folder(settings, task));
  use.whole_words = tokenizer->words() != nullptr;
  if (config.vocabulary == 0) config.vocabulary = tokenizer->vocabulary_size();
}

// Of a model given by its architecture: all written in the experiment but the vocabulary, which the
// tokenizer has.
ModelConfig config_from_sizes(const ModelSettings& settings, const Task& task) {
  const Architecture& architecture = find_architecture(settings.architecture);
  Sizes sizes = settings.sizes;
  architecture.complete(sizes);
  ModelConfig config = architecture.defaults;
  for (const auto& key : architecture.sizes) {
    const auto found = sizes.find(key.spec.name);
    if (found != sizes.end()) config.*key.member = found->second;
  }
  for (const auto& key : architecture.choices) {
    const auto found = settings.choices.find(key.spec.name);
    if (found != settings.choices.end()) config.*key.member = found->second;
  }
  if (settings.layers) config.layers = *settings.layers;
  ModelUse use{.pair = task.pair(), .whole_words = false};
  take_vocabulary(settings, task, config, use);
  if (architecture.adapt) architecture.adapt(config, sizes, use);
  Problems problems;
  for (const auto& key : architecture.sizes) {
    if (key.needed && config.*key.member <= 0)
      problems.add("model." + key.spec.name,
                   "a positive number is needed for a model without weights");
  }
  problems.throw_if_any("model");
  return config;
}

// From its folder; made for texts like the task's.
ModelConfig config_from_folder(const ModelSettings& settings, const Task& task) {
  ModelConfig config = folder_config(settings);
  const bool apart = find_architecture(config.architecture).pairs == RowLayout::kApart;
  if (!apart || config.pair == task.pair()) return config;
  throw_user_error(
      (*settings.weights / "config.json").string() + ":pair",
      fmt::format("the model reads {}, {} has {}", config.pair ? "pairs" : "single texts",
                  task.name, task.pair() ? "pairs" : "single texts"));
}

// With the labels that the checkpoint names.
ModelConfig own_config(const ModelSettings& settings, const Task& task,
                       std::optional<double> dropout) {
  ModelConfig config =
      settings.weights ? config_from_folder(settings, task) : config_from_sizes(settings, task);
  if (settings.layers) config.layers = *settings.layers;
  if (dropout) config.set_dropout(*dropout);
  return config;
}

// `said`, where it is GLUE's but another than `task`.
std::string other_glue_task(const std::string& said, const Task& task) {
  const auto& all = all_tasks();
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const Task& one) { return one.is_called(said); });
  return known && !task.is_called(said) ? said : "";
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

std::vector<std::string> InitialModel::remarks() const {
  if (!frozen) return {};
  std::vector<std::string> lines;
  if (!other_task.empty())
    lines.push_back(fmt::format("it was fine-tuned on {}, not on {}", other_task, task->name));
  if (labels_assumed || !other_labels.empty()) {
    lines.push_back(fmt::format(
        "its labels {}, they are taken to be, in this order, {}",
        labels_assumed ? "have no names"
                       : fmt::format("({}) are not the task's", first_few(other_labels)),
        joined(config.labels, ", ")));
  }
  return lines;
}

InitialModel initial_model(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout) {
  InitialModel model;
  model.settings = settings;
  model.task = &task;
  model.config = own_config(settings, task, dropout);
  if (find_architecture(model.config.architecture).language_model) return model;  // no classes
  model.other_task = other_glue_task(model.config.finetuned_on, task);
  const auto order = own_order(model.config.labels, task);
  model.labels_assumed = settings.weights && model.config.labels.empty() && has_named_labels(task);
  if (!order && !task.regression()) model.other_labels = model.config.labels;
  model.config.labels = order.value_or(task.labels);
  return model;
}

ModelConfig resolve_config(const ModelSettings& settings, const Task& task,
                           std::optional<double> dropout) {
  return initial_model(settings, task, dropout).config;
}

ModelConfig folder_config(const ModelSettings& settings) {
  return read_model_config(*settings.weights,
                           settings.language ? ModelForm::kLanguage : ModelForm::kNamed);
}

const Architecture& architecture_of(const ModelSettings& settings) {
  return find_architecture(settings.weights ? folder_config(settings).architecture
                                            : settings.architecture);
}

bool reads_own_words(const ModelSettings& settings) {
  return !settings.weights && !settings.tokenizer &&
         !find_architecture(settings.architecture).word_tables.empty();
}

RowLayout layout_of(const ModelSettings& settings, const Task& task) {
  return task.pair() ? architecture_of(settings).pairs : RowLayout::kJoined;
}

fs::path tokenizer_folder(const ModelSettings& settings, const Task& task) {
  if (settings.tokenizer) return *settings.tokenizer;
  if (settings.weights) return *settings.weights;
  if (const auto words = settings.words.find(task.name); words != settings.words.end())
    return words->second;
  throw_user_error("model.tokenizer", "a model without weights needs the folder of a tokenizer");
}

std::optional<std::vector<std::string>> own_order(const std::vector<std::string>& own,
                                                  const Task& task) {
  std::vector<std::string> order;
  for (const auto& name : own) {
    if (const std::string* label = task.label_of(name)) order.push_back(*label);
  }
  const bool same =
      own.size() == task.labels.size() &&
      std::is_permutation(order.begin(), order.end(), task.labels.begin(), task.labels.end());
  return same ? std::optional(order) : std::nullopt;
}

nlohmann::json model_inputs(const InitialModel& model) {
  const auto folder = model.weights();
  nlohmann::json inputs{{"config", to_config_json(model.config)},
                        {"labels", model.config.labels},
                        {"init", model.settings.init},
                        {"init_from", model.settings.init_from},
                        {"weights", folder ? model_weights_sha256(*folder) : "random"},
                        {"seed", model.seed}};
  if (model.settings.vectors) inputs["vectors"] = file_sha256(*model.settings.vectors);
  return inputs;
}

}  // namespace kdbench
