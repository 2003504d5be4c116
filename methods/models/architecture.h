// SPDX-License-Identifier: MIT
// What a kind of network is to the rest of the program: one entry an architecture, as methods have
// theirs. Nothing else knows architectures by name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/base/error.h"
#include "io/tokenizers/tokenizer.h"
#include "io/weights/config_json.h"
#include "methods/models/model.h"
#include "methods/models/model_config.h"
#include "methods/models/parameters.h"
#include "methods/options/options.h"

namespace kdbench {

// Sizes by their keys in an experiment: layers, hidden, ...
using Sizes = std::map<std::string, int64_t>;

// One of the sizes that a model without weights is given.
struct SizeKey {
  OptionSpec spec;  // of an integer
  int64_t ModelConfig::*member;
  bool needed = false;  // there is nothing to take in its place
};

// One of the words that a model without weights is given.
struct ChoiceKey {
  OptionSpec spec;  // of a string
  std::string ModelConfig::*member;
};

// What a model given by sizes is used for.
struct ModelUse {
  bool pair = false;         // on pairs of texts
  bool whole_words = false;  // by a vocabulary of words
};

// Sizes with a name: a published shape, for `preset = "bert-mini"`.
struct Preset {
  std::string name;
  Sizes sizes;
};

// A mistake that a model's sizes make together.
struct SizeConflict {
  std::string key, what;
};

// How tensors are named in Hugging Face files.
struct CheckpointNames {
  std::string prefix;                 // "bert.": of some names, in some files; never in a model
  std::vector<std::string> prefixed;  // beginnings of the names that are written with it
  std::vector<std::string> needed;    // beginnings of the names that a checkpoint must have
  std::string landmark;               // one of those: a name that no other tensor ends with
  std::string layer;                  // "encoder.layer.", before the number of a layer
  std::vector<std::pair<std::string, std::string>> renamed_ends;  // in old files -> today's
  std::vector<std::string> no_parameters = {};  // ends of names that hold constants and copies

  // A model's name for a file's tensor.
  std::string own_name(const std::string& name) const;
  // What of a file's name stands before the model's own, given that it ends with the landmark:
  // "module." of "module.bert.embeddings.word_embeddings.weight". Nothing for other names.
  std::optional<std::string> wrapper_of(const std::string& name) const;
  // The name in a file that is written.
  std::string file_name(const std::string& name) const;
  bool must_be_there(const std::string& name) const;
  // A tensor that files hold beside the parameters, which is passed over.
  bool holds_no_parameter(const std::string& name) const;
};

// First values of a parameter: N(0, deviation), U(-bound, bound), or the constant.
struct FirstValues {
  double constant = 0.0;
  std::optional<double> deviation = std::nullopt;
  std::optional<double> bound = std::nullopt;
};

// One entry of the registry.
struct Architecture {
  std::string name;                     // `architecture` in an experiment
  std::string type_key = "model_type";  // of config.json, which holds the name
  std::string summary;                  // one line, with the paper

  RowLayout pairs = RowLayout::kJoined;  // how it reads them
  bool layer_states = true;              // it has states of layers to compare: Outputs::hidden, cls
  bool language_model = false;           // its network is a TextModel, and no classifier
  bool fills_masks = false;              // which is a MaskedModel, else a LanguageModel
  // The entry that reads its folders as language models, where they can be both; empty: there is
  // none.
  std::string masked_form = "";
  bool low_precision = false;  // knows other types than float32: ForwardMode::type
  // Its tables of word vectors, of which a model has some. Where there are any, its tokens may be
  // the words of the data, and vectors may come from a file.
  std::vector<std::string> word_tables = {};

  std::vector<SizeKey> sizes;
  std::vector<ChoiceKey> choices = {};
  std::vector<Preset> presets;
  ModelConfig defaults;  // of a model that is given by sizes: what no key says
  // Adds the sizes that follow from those that are there.
  std::function<void(Sizes&)> complete;
  // Completes a model given by sizes with what follows from its use; null: nothing does.
  std::function<void(ModelConfig&, const Sizes&, const ModelUse&)> adapt = nullptr;
  // Mistakes that need no tokenizer and no weights to be seen. Sizes may be missing.
  std::function<std::vector<SizeConflict>(const Sizes&)> conflicts;

  // config.json: all but model_type and the names of labels.
  std::function<ModelConfig(ConfigJson&)> read_config;
  std::function<void(const ModelConfig&, nlohmann::json&)> write_config;
  CheckpointNames names;

  // Whether a network can be built; in the words of config.json.
  std::function<void(const ModelSpec&, Problems&)> check;
  // Declares the parameters in the order of their first use.
  std::function<void(const ModelSpec&, ParameterLayout&)> declare;
  DecayRule decays;
  std::function<FirstValues(const std::string& name, const ModelConfig&)> first_values;
  // The network over parameters that were declared here.
  std::function<std::unique_ptr<Model>(const ModelConfig&, Parameters)> make;
  // Floats that a token leaves for backward: an estimate, for plans of memory.
  std::function<int64_t(const ModelConfig&)> activation_floats;
};

}  // namespace kdbench
