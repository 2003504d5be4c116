// SPDX-License-Identifier: MIT
// The BiLSTM students: sizes, the config.json of such folders, first values.
#include <array>
#include <cmath>

#include "methods/models/bilstm.h"
#include "methods/models/entries.h"

namespace kdbench {
namespace {

// vector_mode as config.json calls it.
constexpr std::array<std::array<const char*, 2>, 4> kModeNames{
    {{vector_mode::kRandom, "rand"},
     {vector_mode::kStatic, "static"},
     {vector_mode::kTrained, "non-static"},
     {vector_mode::kBoth, "multichannel"}}};
constexpr const char* kWordTokens = "basic";
constexpr const char* kPieceTokens = "wordpiece";

std::vector<std::string> mode_names(size_t column) {
  std::vector<std::string> names;
  for (const auto& mode : kModeNames) names.emplace_back(mode[column]);
  return names;
}

std::string other_mode_name(const std::string& name, size_t from) {
  for (const auto& mode : kModeNames) {
    if (name == mode[from]) return mode[1 - from];
  }
  return name;
}

ModelConfig bilstm_defaults() {
  ModelConfig config;
  config.architecture = "bilstm";
  config.layers = 1;
  config.embedding = 300;
  config.fc = 200;
  config.pooling = "final";
  config.activation = "relu";
  config.vector_mode = vector_mode::kRandom;
  config.set_dropout(0.1);
  return config;
}

SizeKey bilstm_size_key(const char* name, int64_t ModelConfig::*member, int64_t least,
                        const char* absent, const char* meaning) {
  SizeKey key{{name, bilstm_defaults().*member, meaning, "d-bert's confs"}, member};
  key.spec.range = {.low = static_cast<double>(least), .high = kLargestSize};
  key.spec.absent = absent;
  return key;
}

std::vector<SizeKey> bilstm_size_keys() {
  using C = ModelConfig;
  SizeKey hidden =
      bilstm_size_key("hidden", &C::hidden, 1, "must be given", "width of a direction's state");
  hidden.needed = true;
  return {hidden, bilstm_size_key("embedding", &C::embedding, 1, "", "width of a word's vector"),
          bilstm_size_key("fc", &C::fc, 0,
                          "200; with pooling = \"max\" 2 x hidden of pairs, 0 of single texts",
                          "width of the layer before the classifier; 0: none"),
          bilstm_size_key("vocabulary", &C::vocabulary, 1, "the tokenizer's",
                          "rows of the word table")};
}

ChoiceKey bilstm_choice_key(const char* name, std::string ModelConfig::*member,
                            std::vector<std::string> choices, const char* absent,
                            const char* meaning) {
  ChoiceKey key{{name, bilstm_defaults().*member, meaning, "d-bert's confs"}, member};
  key.spec.choices = std::move(choices);
  key.spec.absent = absent;
  return key;
}

std::vector<ChoiceKey> bilstm_choice_keys() {
  using C = ModelConfig;
  return {
      bilstm_choice_key(
          "pooling", &C::pooling, {"final", "max"}, "",
          "what of a text's states is kept: the end of each direction (d-bert), or the "
          "largest over its tokens (ProKT)"),
      bilstm_choice_key(kVectorMode, &C::vector_mode, mode_names(0),
                        "both where vectors are given, else random",
                        "vectors at random, of the file and fixed, of the file and trained, or one "
                        "copy of each")};
}

// ProKT's form has no layer of its own before a single text's classifier.
void adapt_bilstm(ModelConfig& config, const Sizes& sizes, const ModelUse& use) {
  config.pair = use.pair;
  config.whole_words = use.whole_words;
  config.pad_token_id = use.whole_words ? 1 : 0;
  if (config.pooling != "max") return;
  config.activation = "none";
  config.set_dropout(0.4);
  if (!sizes.contains("fc")) config.fc = use.pair ? 2 * config.hidden : 0;
}

ModelConfig read_bilstm_config(ConfigJson& json) {
  ModelConfig config = bilstm_defaults();
  json.size("vocab_size", config.vocabulary, true);
  json.size("embedding_size", config.embedding, true);
  json.size("hidden_size", config.hidden, true);
  json.number("fc_size", config.fc, {0, kLargestSize}, true);
  json.flag("pair", config.pair);
  json.choice("pooling", config.pooling, {"final", "max"});
  json.choice("activation", config.activation, {"relu", "none"});
  std::string mode = other_mode_name(config.vector_mode, 0), tokens = kPieceTokens;
  json.choice("embedding_mode", mode, mode_names(1));
  config.vector_mode = other_mode_name(mode, 1);
  json.choice("tokenizer", tokens, {kWordTokens, kPieceTokens});
  config.whole_words = tokens == kWordTokens;
  // What the vocabulary itself says; a cased one has its own file.
  bool lowers = true;
  int64_t unknown = 0;
  json.flag("do_lower_case", lowers);
  json.number("unknown_id", unknown, {0, kLargestSize}, false);
  json.number("padding_id", config.pad_token_id, {0, kLargestSize}, false);
  if (!lowers)
    json.problem("do_lower_case", "false is not read here", "tokenizer_config.json says it");
  double dropout = config.classifier_dropout;
  json.real("dropout", dropout, 0, 1);
  config.set_dropout(dropout);
  return config;
}

void write_bilstm_config(const ModelConfig& config, nlohmann::json& json) {
  json.update({{"vocab_size", config.vocabulary},
               {"embedding_size", config.embedding},
               {"hidden_size", config.hidden},
               {"fc_size", config.fc},
               {"pair", config.pair},
               {"pooling", config.pooling},
               {"activation", config.activation},
               {"embedding_mode", other_mode_name(config.vector_mode, 0)},
               {"tokenizer", config.whole_words ? kWordTokens : kPieceTokens},
               {"padding_id", config.pad_token_id},
               {"dropout", config.classifier_dropout}});
}

void check_bilstm(const ModelSpec& spec, Problems& problems) {
  const ModelConfig& c = spec.config;
  for (const auto& [name, value] :
       {std::pair("vocab_size", c.vocabulary), std::pair("embedding_size", c.embedding),
        std::pair("hidden_size", c.hidden), std::pair("outputs", spec.outputs)}) {
    if (value <= 0) problems.add(name, "must be positive, is " + std::to_string(value));
  }
  if (c.layers != 1) problems.add("layers", "there is one, not " + std::to_string(c.layers));
  if (!(c.classifier_dropout >= 0.0 && c.classifier_dropout < 1.0))
    problems.add("dropout", "must be in [0, 1)");
}

bool bilstm_decays(const std::string& name) { return name.find("bias") == std::string::npos; }

// PyTorch's, but for the word vectors: d-bert's U(-0.25, 0.25), ProKT's N(0, 0.02).
FirstValues first_bilstm_values(const std::string& name, const ModelConfig& config) {
  const auto one_over_root = [](int64_t count) {
    return 1.0 / std::sqrt(static_cast<double>(count));
  };
  if (name == kTrainedVectors || name == kStaticVectors) {
    if (config.pooling == "max") return {.deviation = 0.02};
    return {.bound = kRandomVectorBound};
  }
  if (name.starts_with("lstm.")) return {.bound = one_over_root(config.hidden)};
  if (name.starts_with("classifier.") && config.fc > 0) return {.bound = one_over_root(config.fc)};
  return {.bound = one_over_root(bilstm_features(config))};
}

// A token's vector and its gradient; its gates, cells, states and their gradients in both
// directions, and a copy of one direction's gates.
int64_t bilstm_activation_floats(const ModelConfig& config) {
  return 2 * bilstm_input(config) + (8 + 2 + 2 + 2 + 4) * config.hidden;
}

}  // namespace

Architecture bilstm_entry() {
  Architecture entry;
  entry.name = "bilstm";
  entry.type_key = "architecture";
  entry.summary = "One bidirectional LSTM layer over word vectors (Tang et al. 2019)";
  entry.pairs = RowLayout::kApart;
  entry.layer_states = false;
  entry.word_tables = {kTrainedVectors, kStaticVectors};
  entry.sizes = bilstm_size_keys();
  entry.choices = bilstm_choice_keys();
  entry.presets = {{"bilstm-150", {{"hidden", 150}, {"fc", 200}}},
                   {"bilstm-300", {{"hidden", 300}, {"fc", 400}}}};
  entry.defaults = bilstm_defaults();
  entry.complete = [](Sizes&) {};
  entry.adapt = adapt_bilstm;
  entry.conflicts = [](const Sizes&) { return std::vector<SizeConflict>(); };
  entry.read_config = read_bilstm_config;
  entry.write_config = write_bilstm_config;
  entry.names = {.prefix = "",
                 .prefixed = {},
                 .needed = {"embedding", "lstm."},
                 .landmark = "lstm.weight_ih_l0",
                 .layer = "",
                 .renamed_ends = {}};
  entry.check = check_bilstm;
  entry.declare = declare_bilstm;
  entry.decays = bilstm_decays;
  entry.first_values = first_bilstm_values;
  entry.make = make_bilstm;
  entry.activation_floats = bilstm_activation_floats;
  return entry;
}

}  // namespace kdbench
