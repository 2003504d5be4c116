// SPDX-License-Identifier: MIT
// [model], [teacher], [student] and [method.student].
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "io/base/look.h"
#include "io/synthetic/synthetic.h"
#include "io/weights/weight_files.h"
#include "io/weights/word_vectors.h"
#include "methods/models/bilstm.h"
#include "methods/models/registry.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/experiment_reader.h"
#include "suite/config/option_reader.h"
#include "suite/models/initial_model.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

bool takes_layers_of_another(const ModelSettings& model) {
  return model.init == "first-layers" || model.init == "skip-layers";
}

bool any_file(const fs::path& folder, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return is_there(folder / name); });
}

void check_tokenizer(TableReader& table, const std::string& key, const fs::path& folder) {
  if (!is_folder(folder)) {
    table.problem(key, "no folder " + folder.string());
  } else if (!any_file(folder, {"vocab.txt", "vocab.json", "tokenizer.json"})) {
    table.problem(key, folder.string() + " has no vocabulary",
                  "vocab.txt, vocab.json with merges.txt, or tokenizer.json must lie in it");
  }
}

// The folder's config, or nullopt when there is a problem with it.
std::optional<ModelConfig> check_weights(TableReader& table, const ModelSettings& model) {
  const fs::path& folder = *model.weights;
  if (!is_folder(folder)) {
    table.problem("weights", "no folder " + folder.string(), "a Hugging Face model folder");
    return std::nullopt;
  }
  if (!is_there(folder / "config.json")) {
    table.problem("weights", folder.string() + " has no config.json");
    return std::nullopt;
  }
  if (!model.tokenizer) check_tokenizer(table, "weights", folder);
  if (model.init != "random") table.collect("weights", [&] { check_weight_files(folder); });
  return read_model_config(folder);
}

// The sizes that a model may be given: its architecture's; while that is not known, those of all.
std::vector<SizeKey> size_keys(const Architecture* architecture) {
  if (architecture) return architecture->sizes;
  std::vector<SizeKey> keys;
  std::set<std::string> names;
  for (const auto& any : all_architectures()) {
    for (const auto& key : any.sizes) {
      if (names.insert(key.spec.name).second) keys.push_back(key);
    }
  }
  return keys;
}

// A model given by its sizes: nothing to read, so everything must be in the table.
void check_sizes(TableReader& table, const ModelSettings& model, const DataSettings& data) {
  const Architecture& architecture = find_architecture(model.architecture);
  for (const auto& key : architecture.sizes) {
    const std::string& name = key.spec.name;
    if (key.needed && !model.sizes.contains(name) && !table.has(name))
      table.problem(name, "is missing", "a model without weights needs it");
  }
  for (const auto& conflict : architecture.conflicts(model.sizes))
    table.problem(conflict.key, conflict.what);
  if (!model.tokenizer && !table.has("tokenizer") && !data.synthetic &&
      architecture.word_tables.empty()) {
    table.problem("tokenizer", "is missing", "a model without weights needs a vocabulary's folder");
  }
}

// The preset that gives the model its architecture and its sizes.
std::optional<FoundPreset> find_preset_of(TableReader& table, const OptionValues& values,
                                          const ModelSettings& model) {
  std::optional<std::string> name;
  take(values, "preset", name);
  if (!name) return std::nullopt;
  for (const char* key : {"weights", "architecture"}) {
    if (table.has(key)) table.problem(key, "cannot be given beside preset", "give one of the two");
  }
  if (model.weights || !model.architecture.empty()) return std::nullopt;
  return find_preset(*name);
}

// The written sizes; those of `preset` and what follows from both where nothing is written.
void read_sizes(TableReader& table, ModelSettings& model,
                const std::optional<FoundPreset>& preset) {
  const bool known = !model.architecture.empty() && !model.weights;
  for (const auto& key : size_keys(known ? &find_architecture(model.architecture) : nullptr)) {
    const std::string& name = key.spec.name;
    const toml::node* node = table.node(name);
    if (!node) continue;
    const auto value = read_option(key.spec, *node, table.key(name), table.problems());
    if (value) model.sizes[name] = std::get<int64_t>(*value);
    if (model.weights && value && key.member != &ModelConfig::layers) {
      table.problem(name, "cannot be given beside weights",
                    "it stands in the folder's config.json");
    }
  }
  if (preset) {
    for (const auto& size : preset->preset.sizes) model.sizes.insert(size);
    preset->architecture.complete(model.sizes);
  }
  for (const auto& key : size_keys(nullptr)) {
    const auto found = model.sizes.find(key.spec.name);
    if (key.member == &ModelConfig::layers && found != model.sizes.end())
      model.layers = found->second;
  }
}

// The written words for sizes: pooling, vector_mode.
void read_choices(TableReader& table, ModelSettings& model) {
  for (const auto& architecture : all_architectures()) {
    if (!model.weights && architecture.name != model.architecture) continue;
    for (const auto& key : architecture.choices) {
      const std::string& name = key.spec.name;
      const toml::node* node = table.node(name);
      if (!node) continue;
      const auto value = read_option(key.spec, *node, table.key(name), table.problems());
      if (value) model.choices[name] = std::get<std::string>(*value);
      if (model.weights) {
        table.problem(name, "cannot be given beside weights",
                      "it stands in the folder's config.json");
      }
    }
  }
}

// Vectors of words, and what is done with them.
void check_word_vectors(TableReader& table, ModelSettings& model) {
  const bool reads_words = !model.weights && !model.architecture.empty() &&
                           !find_architecture(model.architecture).word_tables.empty();
  if (model.vectors && !reads_words) {
    table.problem("vectors", "is for models of words that are given by sizes",
                  "architecture = \"bilstm\"");
  } else if (model.vectors) {
    table.collect("vectors", [&] { word_vectors_width(*model.vectors); });
  }
  if (!reads_words) return;
  const auto mode = model.choices.find(kVectorMode);
  const bool random = mode == model.choices.end() || mode->second == vector_mode::kRandom;
  if (model.vectors && mode == model.choices.end()) {
    model.choices[kVectorMode] = vector_mode::kBoth;
  } else if (model.vectors && random) {
    table.problem(kVectorMode, "\"random\" takes no vectors of a file", "leave one of them out");
  } else if (!model.vectors && !random) {
    table.problem(kVectorMode, "needs vectors", "vectors = \"FILE\"");
  }
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

// Where the table describes no model at all, the weights of [model].
void take_base_model(TableReader& table, BaseModel& base, ModelSettings& model) {
  const toml::node* own = table.node("weights");
  if (own && is_override(*own)) base.replaced = true;
  if (own || table.has("preset") || table.has("architecture") || !base.weights) return;
  if (!base.taken) {
    table.problems().collect([&] {
      base.usable = is_folder(*base.weights);
      if (base.usable) return;
      table.problems().add(base.place, "model.weights: no folder " + base.weights->string(),
                           "a Hugging Face model folder");
    });
  }
  base.taken = true;
  model.weights = base.weights;
}

// The keys that teachers and students share.
ModelSettings read_model(TableReader& table, const DataSettings& data,
                         const TeacherSettings* teacher, BaseModel& base) {
  ModelSettings model;
  const size_t problems = table.problems().lines().size();
  const OptionValues values = read_options(model_keys(), table);
  take(values, "weights", model.weights);
  take_base_model(table, base, model);
  take(values, "tokenizer", model.tokenizer);
  take(values, "architecture", model.architecture);
  model.init = model.weights ? "weights" : "random";
  take(values, "init", model.init);
  take(values, "init_from", model.init_from);
  const auto preset = find_preset_of(table, values, model);
  if (preset) model.architecture = preset->architecture.name;
  read_sizes(table, model, preset);
  read_choices(table, model);
  take(values, "vectors", model.vectors);
  check_word_vectors(table, model);
  if (model.tokenizer) {
    table.collect("tokenizer", [&] { check_tokenizer(table, "tokenizer", *model.tokenizer); });
  }
  const bool own_words = !model.weights && !model.architecture.empty() && reads_own_words(model);
  if (data.synthetic && !model.weights && !table.has("tokenizer") && !own_words) {
    // The generated vocabulary; its file is not there yet, its size is known.
    model.sizes.emplace("vocabulary", static_cast<int64_t>(synthetic_vocabulary().size()));
  }
  if (model.init == "random" && table.has("init_from")) {
    table.problem("init_from", "means nothing with init = \"random\"");
  }
  // A folder of an architecture that cannot be used is not looked into.
  if (table.problems().lines().size() != problems) return model;
  if (model.weights && !base.usable && model.weights == base.weights) return model;

  std::optional<ModelConfig> config;
  if (model.weights) table.collect("weights", [&] { config = check_weights(table, model); });
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
    if (teacher->model.weights) {
      table.problems().collect([&] {
        if (is_there(*teacher->model.weights / "config.json"))
          config = read_model_config(*teacher->model.weights);
      });
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

// Of a model that tells classes apart.
ModelSettings read_classifier(TableReader& table, const DataSettings& data,
                              const TeacherSettings* teacher, BaseModel& base) {
  const size_t problems = table.problems().lines().size();
  ModelSettings model = read_model(table, data, teacher, base);
  const bool described = model.weights || !model.architecture.empty();
  if (!described || table.problems().lines().size() != problems) return model;
  if (model.weights && !base.usable && model.weights == base.weights) return model;
  const Architecture& architecture = architecture_of(model);
  if (architecture.language_model) {
    table.problem(model.weights         ? "weights"
                  : table.has("preset") ? "preset"
                                        : "architecture",
                  "a " + architecture.name + " model is a language model and has no classes",
                  "language models make transfer sets");
  }
  return model;
}

}  // namespace

BaseModel read_base_model(TableReader table) {
  BaseModel base;
  take(read_options(base_model_keys(), table), "weights", base.weights);
  if (!table.has("weights"))
    table.problem("weights", "is missing", "the folder of all models that name none");
  if (const toml::node* node = table.node("weights")) {
    base.place = place_of(*node);
    base.set = is_override(*node);
  }
  table.finish();
  return base;
}

TeacherSettings read_teacher(TableReader table, const DataSettings& data, BaseModel& base) {
  TeacherSettings teacher;
  teacher.model = read_classifier(table, data, nullptr, base);
  const OptionValues values = read_options(teacher_keys(), table);
  take(values, "per_seed", teacher.per_seed);
  take(values, "train_limit", teacher.train_limit);
  if (auto train = table.table("train")) teacher.train = read_train(*train);
  table.finish();
  return teacher;
}

TeacherSettings read_language_model(TableReader& transfer, const DataSettings& data,
                                    BaseModel& base) {
  TeacherSettings settings;
  TableReader table = *transfer.table("model");
  const size_t problems = table.problems().lines().size();
  ModelSettings& model = settings.model;
  model = read_model(table, data, nullptr, base);
  model.language = true;
  if (!model.weights && !model.architecture.empty())
    model.architecture = language_form(find_architecture(model.architecture)).name;
  const bool described = model.weights || !model.architecture.empty();
  const char* const key = model.weights         ? "weights"
                          : table.has("preset") ? "preset"
                                                : "architecture";
  if (described && table.problems().lines().size() == problems) {
    table.collect(key, [&] {
      const Architecture& architecture = architecture_of(model);
      if (architecture.language_model) return;
      table.problem(key, "a " + architecture.name + " model is no language model",
                    "gpt2, transfo-xl and bert are");
    });
  }
  table.finish();
  if (auto train = transfer.table("train")) settings.train = read_train(*train);
  if (!settings.model.weights && !settings.train)
    transfer.problem("model", "a language model without weights must be trained",
                     "add [transfer.train]");
  return settings;
}

ModelSettings read_student(TableReader table, const DataSettings& data,
                           const TeacherSettings* teacher, BaseModel& base) {
  ModelSettings model = read_classifier(table, data, teacher, base);
  table.finish();
  return model;
}

}  // namespace kdbench
