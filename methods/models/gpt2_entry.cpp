// SPDX-License-Identifier: MIT
// GPT-2: sizes, Hugging Face's config.json and names, first values.
#include <cmath>

#include "methods/models/encoder_entry.h"
#include "methods/models/entries.h"
#include "methods/models/gpt2.h"

namespace kdbench {
namespace {

ModelConfig gpt2_defaults() {
  ModelConfig config;
  config.architecture = "gpt2";
  config.max_positions = 1024;
  config.layer_norm_eps = 1e-5;
  config.set_dropout(0.1);
  config.initializer_range = 0.02;
  config.activation = "gelu_new";  // others are refused
  return config;
}

ModelConfig read_gpt2_config(ConfigJson& json) {
  ModelConfig config = gpt2_defaults();
  json.only("activation_function", config.activation);
  for (const char* key : {"add_cross_attention", "is_encoder_decoder"})
    json.never(key, "only decoders without an encoder are");
  json.never("scale_attn_by_inverse_layer_idx", "scores are divided by the root of a head's width");
  json.never("pruned_heads", "a network with all of its heads is needed");
  json.never("quantization_config", "weights in float32, float16 or bfloat16 are needed");
  json.never("auto_map", "the model has code of its own, which is not run");
  for (const char* key : {"scale_attn_weights", "tie_word_embeddings"}) {
    bool value = true;
    json.flag(key, value);
    if (!value) json.problem(key, "false is not supported");
  }
  json.size("vocab_size", config.vocabulary, true);
  json.size("n_layer", config.layers, true, kMostLayers);
  json.size("n_embd", config.hidden, true);
  json.size("n_head", config.heads, true);
  json.size("n_positions", config.max_positions, true);
  config.intermediate = 4 * config.hidden;
  json.size("n_inner", config.intermediate, false);
  json.real("layer_norm_epsilon", config.layer_norm_eps, 0, 1);
  json.real("resid_pdrop", config.hidden_dropout, 0, 1);
  json.real("attn_pdrop", config.attention_dropout, 0, 1);
  json.real("embd_pdrop", config.embedding_dropout, 0, 1);
  json.real("initializer_range", config.initializer_range, 0, 1e3);
  if (config.heads > 0 && config.hidden % config.heads != 0)
    json.problem("n_head", "must divide n_embd");
  return config;
}

void write_gpt2_config(const ModelConfig& config, nlohmann::json& json) {
  json.update({{"architectures", {"GPT2LMHeadModel"}},
               {"vocab_size", config.vocabulary},
               {"n_layer", config.layers},
               {"n_embd", config.hidden},
               {"n_head", config.heads},
               {"n_positions", config.max_positions},
               {"n_inner", config.intermediate},
               {"activation_function", config.activation},
               {"layer_norm_epsilon", config.layer_norm_eps},
               {"resid_pdrop", config.hidden_dropout},
               {"attn_pdrop", config.attention_dropout},
               {"embd_pdrop", config.embedding_dropout},
               {"initializer_range", config.initializer_range},
               {"tie_word_embeddings", true}});
}

void check_gpt2(const ModelSpec& spec, Problems& problems) {
  const ModelConfig& c = spec.config;
  for (const auto& [name, value] :
       {std::pair("vocab_size", c.vocabulary), std::pair("n_layer", c.layers),
        std::pair("n_embd", c.hidden), std::pair("n_head", c.heads),
        std::pair("n_inner", c.intermediate), std::pair("n_positions", c.max_positions)}) {
    if (value <= 0) problems.add(name, "must be positive, is " + std::to_string(value));
  }
  if (c.heads > 0 && c.hidden % c.heads != 0) {
    problems.add("n_embd", std::to_string(c.hidden) + " does not divide into " +
                               std::to_string(c.heads) + " attention heads");
  }
  for (const auto& [name, value] :
       {std::pair("resid_pdrop", c.hidden_dropout), std::pair("attn_pdrop", c.attention_dropout),
        std::pair("embd_pdrop", c.embedding_dropout)}) {
    if (!(value >= 0.0 && value < 1.0)) problems.add(name, "must be in [0, 1)");
  }
}

// What adds to the sum begins smaller the more layers do (Radford et al. 2019, 2.3).
FirstValues first_gpt2_values(const std::string& name, const ModelConfig& config) {
  if (name.ends_with("bias")) return {};
  if (name.find("ln_") != std::string::npos) return {.constant = 1.0};
  if (name.ends_with("c_proj.weight")) {
    const auto sums = static_cast<double>(2 * config.layers);
    return {.deviation = config.initializer_range / std::sqrt(sums)};
  }
  return {.deviation = config.initializer_range};
}

// In each layer both norms with what they read (4 H), Q, K and V, the context, and the inner layer
// before and after its gelu (2 I); the embedding's and the last norm's 4 H; and one layer's
// gradients in backward.
int64_t gpt2_activation_floats(const ModelConfig& config) {
  const int64_t wide = 2 * config.intermediate;
  return config.layers * (8 * config.hidden + wide) + 7 * config.hidden + wide;
}

CheckpointNames gpt2_names() {
  return {.prefix = "transformer.",
          .prefixed = {"wte.", "wpe.", "h.", "ln_f."},
          .needed = {"wte.", "wpe.", "h.", "ln_f."},
          .landmark = "wte.weight",
          .layer = "h.",
          .renamed_ends = {},
          // Masks, and the output matrix, which is the tokens' table.
          .no_parameters = {".attn.bias", ".attn.masked_bias", "lm_head.weight"}};
}

}  // namespace

Architecture gpt2_entry() {
  Architecture entry = transformer_entry("gpt2", gpt2_defaults());
  entry.summary = "A transformer that tells the next token (Radford et al. 2019)";
  entry.language_model = true;
  entry.layer_states = false;
  entry.presets = {encoder_preset("gpt2", 12, 768, 12),
                   encoder_preset("gpt2-medium", 24, 1024, 16)};
  entry.read_config = read_gpt2_config;
  entry.write_config = write_gpt2_config;
  entry.names = gpt2_names();
  entry.check = check_gpt2;
  entry.declare = declare_gpt2;
  entry.decays = [](const std::string& name) { return name.find("bias") == std::string::npos; };
  entry.first_values = first_gpt2_values;
  entry.make = make_gpt2;
  entry.activation_floats = gpt2_activation_floats;
  return entry;
}

}  // namespace kdbench
