// SPDX-License-Identifier: MIT
// [teacher], [student] and [method.student].
#include <fmt/format.h>

#include <algorithm>

#include "io/synthetic/synthetic.h"
#include "io/weights/huggingface.h"
#include "io/weights/model_limits.h"
#include "methods/models/model.h"
#include "methods/models/presets.h"
#include "suite/config/experiment_reader.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kSizes{"layers",       "hidden",        "heads",
                                      "intermediate", "max_positions", "vocabulary"};

bool takes_layers_of_another(const ModelSettings& model) {
  return model.init == "first-layers" || model.init == "skip-layers";
}

bool any_file(const fs::path& folder, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return fs::exists(folder / name); });
}

void check_tokenizer(TableReader& table, const std::string& key, const fs::path& folder) {
  if (!fs::is_directory(folder)) {
    table.problem(key, "no folder " + folder.string());
  } else if (!any_file(folder, {"vocab.txt", "vocab.json"})) {
    table.problem(key, folder.string() + " has no vocabulary",
                  "vocab.txt, or vocab.json with merges.txt, must lie in it");
  }
}

// The folder's config, or nullopt when there is a problem with it.
std::optional<ModelConfig> check_weights(TableReader& table, const ModelSettings& model) {
  const fs::path& folder = *model.weights;
  if (!fs::is_directory(folder)) {
    table.problem("weights", "no folder " + folder.string(), "a Hugging Face model folder");
    return std::nullopt;
  }
  if (!fs::exists(folder / "config.json")) {
    table.problem("weights", folder.string() + " has no config.json");
    return std::nullopt;
  }
  if (!model.tokenizer) check_tokenizer(table, "weights", folder);
  if (model.init != "random" && !any_file(folder, {"model.safetensors", "pytorch_model.bin",
                                                   "model.safetensors.index.json"})) {
    table.problem("weights", folder.string() + " has no model.safetensors",
                  "init = \"random\" needs none");
  }
  try {
    return read_model_config(folder);
  } catch (const Error& error) {
    if (error.code() != ExitCode::kUserInput) throw;
    table.problem("weights", error.what());
    return std::nullopt;
  }
}

// A model given by its sizes: nothing to read, so everything must be in the table.
void check_sizes(TableReader& table, const ModelSettings& model, const DataSettings& data) {
  const auto size = [&](const char* name) {
    const auto it = model.sizes.find(name);
    return it == model.sizes.end() ? 0 : it->second;
  };
  for (const char* name : {"layers", "hidden", "heads"}) {
    if (!size(name) && !table.has(name))
      table.problem(name, "is missing", "a model without weights needs it");
  }
  if (size("hidden") && size("heads") && size("hidden") % size("heads") != 0) {
    table.problem("heads", "does not divide hidden");
  }
  if (!model.tokenizer && !table.has("tokenizer") && !data.synthetic) {
    table.problem("tokenizer", "is missing", "a model without weights needs a vocabulary's folder");
  }
}

// The preset's architecture and sizes; sizes that stand beside it win.
void read_preset(TableReader& table, ModelSettings& model) {
  const auto name = table.choice("preset", preset_names());
  for (const char* key : {"weights", "architecture"}) {
    if (name && table.has(key))
      table.problem(key, "cannot be given beside preset", "give one of the two");
  }
  if (!name || model.weights || !model.architecture.empty()) return;
  const Preset& preset = find_preset(*name);
  model.architecture = preset.architecture;
  model.sizes.emplace("layers", preset.layers);
  model.sizes.emplace("hidden", preset.hidden);
  model.sizes.emplace("heads", preset.heads);
  model.sizes.emplace("intermediate", 4 * model.sizes.at("hidden"));
  model.layers = model.sizes.at("layers");
}

void read_sizes(TableReader& table, ModelSettings& model) {
  for (const auto& name : kSizes) {
    const int64_t most = name == "layers" ? kMostLayers : kLargestSize;
    const auto value = table.integer(name, {.low = 1, .high = static_cast<double>(most)});
    if (value) model.sizes[name] = *value;
    if (model.weights && value && name != "layers") {
      table.problem(name, "cannot be given beside weights",
                    "it stands in the folder's config.json");
    }
  }
  if (const auto it = model.sizes.find("layers"); it != model.sizes.end())
    model.layers = it->second;
}

// What weights, architecture, sizes, init and tokenizer say together.
void check_model(TableReader& table, const ModelSettings& model, const DataSettings& data,
                 const ModelConfig* source) {
  if (!model.weights) {
    if (!table.has("weights") && model.architecture.empty() && !table.has("architecture") &&
        !table.has("preset")) {
      table.problem("weights", "is missing",
                    "a Hugging Face folder; or preset, or architecture with sizes");
    }
    if (!model.architecture.empty()) check_sizes(table, model, data);
    if (model.init != "random" && model.init_from == "pretrained" && !model.architecture.empty()) {
      table.problem("init", "there are no weights to take", "init = \"random\"");
    }
  }
  if (takes_layers_of_another(model) && !model.layers && !table.has("layers")) {
    table.problem("init", "\"" + model.init + "\" needs layers", "for example layers = 3");
  }
  if (!source || !model.layers) return;
  const std::string depth = std::to_string(source->layers);
  if (takes_layers_of_another(model) && *model.layers > source->layers) {
    table.problem("layers", "expected at most " + depth + ", the layers there are");
  } else if (model.init == "weights" && *model.layers != source->layers) {
    table.problem("layers", "the weights have " + depth + " layers",
                  "init = \"first-layers\" takes the first ones");
  }
}

// The keys that teachers and students share.
ModelSettings read_model(TableReader& table, const DataSettings& data,
                         const TeacherSettings* teacher) {
  static const std::vector<std::string> inits{"weights", "first-layers", "skip-layers", "random"};
  ModelSettings model;
  const size_t problems = table.problems().lines().size();
  model.weights = table.path("weights");
  model.tokenizer = table.path("tokenizer");
  model.architecture =
      table.choice("architecture", known_architectures(), {"bilstm", "resnet"}).value_or("");
  model.init = table.choice("init", inits).value_or(model.weights ? "weights" : "random");
  model.init_from = table.choice("init_from", {"pretrained", "teacher"}).value_or("pretrained");
  read_sizes(table, model);
  read_preset(table, model);
  if (model.tokenizer) check_tokenizer(table, "tokenizer", *model.tokenizer);
  if (data.synthetic && !model.weights && !table.has("tokenizer")) {
    // The generated vocabulary; its file is not there yet, its size is known.
    model.sizes.emplace("vocabulary", static_cast<int64_t>(synthetic_vocabulary().size()));
  }
  if (model.init == "random" && table.has("init_from")) {
    table.problem("init_from", "means nothing with init = \"random\"");
  }
  // A folder of an architecture that cannot be used is not looked into.
  if (table.problems().lines().size() != problems) return model;

  std::optional<ModelConfig> config;
  if (model.weights) config = check_weights(table, model);
  if (config && !model.architecture.empty() && config->architecture != model.architecture) {
    table.problem("architecture", "the folder's config.json says \"" + config->architecture + "\"");
  }
  const std::string own = config ? config->architecture : model.architecture;
  if (model.init_from == "teacher") {
    if (!teacher) {
      table.problem("init_from", "there is no teacher that it can begin as",
                    "it is for students beside a [teacher]");
      return model;
    }
    config.reset();
    if (teacher->model.weights && fs::exists(*teacher->model.weights / "config.json")) {
      table.problems().collect([&] { config = read_model_config(*teacher->model.weights); });
    } else if (teacher->model.layers) {
      config.emplace().layers = *teacher->model.layers;
      config->architecture = teacher->model.architecture;
    }
    if (config && !own.empty() && config->architecture != own) {
      table.problem("init_from", fmt::format("the teacher is a {} model, this one {}",
                                             config->architecture, own));
    }
  }
  check_model(table, model, data, config ? &*config : nullptr);
  return model;
}

}  // namespace

TeacherSettings read_teacher(TableReader table, const DataSettings& data) {
  TeacherSettings teacher;
  teacher.model = read_model(table, data, nullptr);
  teacher.per_seed = table.boolean("per_seed").value_or(false);
  if (auto train = table.table("train")) teacher.train = read_train(*train);
  table.finish();
  return teacher;
}

ModelSettings read_student(TableReader table, const DataSettings& data,
                           const TeacherSettings* teacher) {
  ModelSettings model = read_model(table, data, teacher);
  table.finish();
  return model;
}

}  // namespace kdbench
