// SPDX-License-Identifier: MIT
// Transformer-XL: sizes, Hugging Face's config.json and names, first values.
#include "methods/models/entries.h"
#include "methods/models/transfo_xl.h"

namespace kdbench {
namespace {

constexpr double kProjectionDeviation = 0.01;

ModelConfig transfo_xl_defaults() {
  ModelConfig config;
  config.architecture = "transfo-xl";
  config.memory = 128;
  config.segment = 128;
  config.same_length = true;
  config.layer_norm_eps = 1e-5;
  config.set_dropout(0.1);
  config.attention_dropout = 0.0;
  config.initializer_range = 0.02;
  config.whole_words = true;
  return config;
}

// What transformers takes where a config.json leaves a key out.
ModelConfig absent_xl_keys() {
  ModelConfig config = transfo_xl_defaults();
  config.memory = 1600;
  config.clamp_length = 1000;
  return config;
}

SizeKey xl_size_key(const char* name, int64_t ModelConfig::*member, const char* absent,
                    const char* meaning, int64_t most = kLargestSize) {
  SizeKey key{{name, transfo_xl_defaults().*member, meaning, "the architecture"}, member};
  key.spec.range = {.low = 1, .high = static_cast<double>(most)};
  key.spec.absent = absent;
  return key;
}

std::vector<SizeKey> xl_size_keys() {
  using C = ModelConfig;
  std::vector<SizeKey> keys = {
      xl_size_key("layers", &C::layers, "must be given", "depth", kMostLayers),
      xl_size_key("hidden", &C::hidden, "must be given", "width of a token's state; even"),
      xl_size_key("heads", &C::heads, "must be given", "attention heads")};
  for (auto& key : keys) key.needed = true;
  keys.push_back(xl_size_key("head_size", &C::head_size, "hidden / heads", "channels of a head"));
  keys.push_back(xl_size_key("intermediate", &C::intermediate, "4 x hidden",
                             "width of the inner feed-forward layer"));
  keys.push_back(xl_size_key("embedding", &C::embedding, "hidden", "width of a word's vector"));
  keys.push_back(xl_size_key("memory", &C::memory, "", "tokens that a token sees, with itself"));
  keys.push_back(xl_size_key("segment", &C::segment, "", "tokens that are read at a time"));
  keys.push_back(
      xl_size_key("vocabulary", &C::vocabulary, "the tokenizer's", "rows of the word table"));
  return keys;
}

void complete_xl_sizes(Sizes& sizes) {
  const auto hidden = sizes.find("hidden"), heads = sizes.find("heads");
  if (hidden == sizes.end()) return;
  sizes.emplace("intermediate", 4 * hidden->second);
  sizes.emplace("embedding", hidden->second);
  if (heads != sizes.end() && heads->second > 0 && hidden->second >= heads->second)
    sizes.emplace("head_size", hidden->second / heads->second);
}

std::vector<SizeConflict> xl_conflicts(const Sizes& sizes) {
  const auto hidden = sizes.find("hidden");
  if (hidden == sizes.end() || hidden->second % 2 == 0) return {};
  return {{"hidden", "must be even"}};
}

// A flag of which only one value is supported.
void require(ConfigJson& json, const char* key, bool supported) {
  bool value = supported;
  json.flag(key, value);
  if (value != supported)
    json.problem(key, std::string(supported ? "false" : "true") + " is not supported");
}

void check_clusters(const ModelConfig& config, ConfigJson& json) {
  int64_t last = 0, width = config.embedding;
  for (const int64_t cutoff : config.cutoffs) {
    if (cutoff <= last || cutoff >= config.vocabulary) {
      json.problem("cutoffs", "must rise, from above 0 to below vocab_size");
      return;
    }
    last = cutoff;
    width /= config.cluster_division;
  }
  if (width < 1) json.problem("div_val", "leaves the last cluster no width");
}

ModelConfig read_transfo_xl_config(ConfigJson& json) {
  ModelConfig config = absent_xl_keys();
  for (const char* key : {"untie_r", "adaptive", "tie_weight", "tie_word_embeddings"})
    require(json, key, true);
  require(json, "pre_lnorm", false);
  json.never("attn_type", "only relative positions (0) are");
  json.never("ext_len", "there is no extended context");
  json.never("quantization_config", "weights in float32, float16 or bfloat16 are needed");
  json.never("auto_map", "the model has code of its own, which is not run");
  json.size("vocab_size", config.vocabulary, true);
  json.size("n_layer", config.layers, true, kMostLayers);
  json.size("d_model", config.hidden, true);
  json.size("n_head", config.heads, true);
  json.size("d_head", config.head_size, true);
  json.size("d_inner", config.intermediate, true);
  config.embedding = config.hidden;
  json.size("d_embed", config.embedding, false);
  json.size("mem_len", config.memory, false);
  json.size("tgt_len", config.segment, false);
  json.number("clamp_len", config.clamp_length, {-1, kLargestSize}, false);
  json.size("div_val", config.cluster_division, false);
  json.flag("same_length", config.same_length);
  json.numbers("cutoffs", config.cutoffs);
  json.flags("tie_projs", config.tied_projections);
  json.real("layer_norm_epsilon", config.layer_norm_eps, 0, 1);
  json.real("dropout", config.hidden_dropout, 0, 1);
  json.real("dropatt", config.attention_dropout, 0, 1);
  json.real("init_std", config.initializer_range, 0, 1e3);
  // How other programs begin and run it.
  for (const char* key : {"init", "init_range", "proj_init_std", "sample_softmax", "eval",
                          "proj_share_all_but_first"})
    json.ask(key);
  if (config.hidden % 2 != 0) json.problem("d_model", "must be even");
  check_clusters(config, json);
  return config;
}

void write_transfo_xl_config(const ModelConfig& config, nlohmann::json& json) {
  json.update({{"architectures", {"TransfoXLLMHeadModel"}},
               {"vocab_size", config.vocabulary},
               {"n_layer", config.layers},
               {"d_model", config.hidden},
               {"d_embed", config.embedding},
               {"n_head", config.heads},
               {"d_head", config.head_size},
               {"d_inner", config.intermediate},
               {"mem_len", config.memory},
               {"tgt_len", config.segment},
               {"clamp_len", config.clamp_length},
               {"div_val", config.cluster_division},
               {"same_length", config.same_length},
               {"cutoffs", config.cutoffs},
               {"tie_projs", config.tied_projections},
               {"adaptive", true},
               {"attn_type", 0},
               {"untie_r", true},
               {"pre_lnorm", false},
               {"tie_word_embeddings", true},
               {"layer_norm_epsilon", config.layer_norm_eps},
               {"dropout", config.hidden_dropout},
               {"dropatt", config.attention_dropout},
               {"init_std", config.initializer_range}});
}

void check_transfo_xl(const ModelSpec& spec, Problems& problems) {
  const ModelConfig& c = spec.config;
  for (const auto& [name, value] :
       {std::pair("vocab_size", c.vocabulary), std::pair("n_layer", c.layers),
        std::pair("d_model", c.hidden), std::pair("d_embed", c.embedding),
        std::pair("n_head", c.heads), std::pair("d_head", c.head_size),
        std::pair("d_inner", c.intermediate), std::pair("mem_len", c.memory),
        std::pair("tgt_len", c.segment), std::pair("div_val", c.cluster_division)}) {
    if (value <= 0) problems.add(name, "must be positive, is " + std::to_string(value));
  }
  if (c.hidden % 2 != 0) problems.add("d_model", "must be even");
  for (const auto& [name, value] :
       {std::pair("dropout", c.hidden_dropout), std::pair("dropatt", c.attention_dropout)}) {
    if (!(value >= 0.0 && value < 1.0)) problems.add(name, "must be in [0, 1)");
  }
}

FirstValues first_transfo_xl_values(const std::string& name, const ModelConfig& config) {
  if (name.ends_with("layer_norm.weight")) return {.constant = 1.0};
  if (name.find("_projs.") != std::string::npos) return {.deviation = kProjectionDeviation};
  const bool distance_bias = name.ends_with("r_w_bias") || name.ends_with("r_r_bias");
  if (name.ends_with("bias") && !distance_bias) return {};
  return {.deviation = config.initializer_range};
}

// Of a token: its word and signals (2 H), in each layer queries, keys, values and the context (4
// D), scores and probabilities of each head by content and distance (5 keys), two sums, norms and
// what they read (8 H), the inner layer (3 I).
int64_t transfo_xl_activation_floats(const ModelConfig& config) {
  const int64_t keys = config.memory + config.segment;
  return config.layers * (4 * config.heads * config.head_size + 5 * config.heads * keys +
                          8 * config.hidden + 3 * config.intermediate) +
         6 * config.hidden;
}

}  // namespace

Architecture transfo_xl_entry() {
  Architecture entry;
  entry.name = "transfo-xl";
  entry.summary = "A transformer with memory and distances over words (Dai et al. 2019)";
  entry.language_model = true;
  entry.layer_states = false;
  entry.sizes = xl_size_keys();
  entry.defaults = transfo_xl_defaults();
  entry.complete = complete_xl_sizes;
  entry.conflicts = xl_conflicts;
  entry.read_config = read_transfo_xl_config;
  entry.write_config = write_transfo_xl_config;
  entry.names = {.prefix = "transformer.",
                 .prefixed = {"word_emb.", "layers."},
                 .needed = {"word_emb.", "layers.", "crit."},
                 .landmark = "word_emb.emb_layers.0.weight",
                 .layer = "layers.",
                 .renamed_ends = {},
                 .no_parameters = {"pos_emb.inv_freq"}};
  entry.check = check_transfo_xl;
  entry.declare = declare_transfo_xl;
  entry.decays = [](const std::string& name) { return name.find("bias") == std::string::npos; };
  entry.first_values = first_transfo_xl_values;
  entry.make = make_transfo_xl;
  entry.activation_floats = transfo_xl_activation_floats;
  return entry;
}

}  // namespace kdbench
