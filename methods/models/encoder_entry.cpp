// SPDX-License-Identifier: MIT
#include "methods/models/encoder_entry.h"

#include <utility>

#include "methods/options/option_specs.h"

namespace kdbench {
namespace {

SizeKey size_key(const char* name, int64_t ModelConfig::*member, int64_t fallback,
                 const char* meaning, int64_t most = kLargestSize) {
  SizeKey key{{name, fallback, meaning, "the architecture"}, member};
  key.spec.range = {.low = 1, .high = static_cast<double>(most)};
  return key;
}

SizeKey needed(SizeKey key) {
  key.needed = true;
  key.spec.absent = "must be given";
  return key;
}

SizeKey without(const char* absent, SizeKey key) {
  key.spec.absent = absent;
  return key;
}

std::vector<SizeKey> size_keys(const ModelConfig& defaults) {
  using C = ModelConfig;
  return {
      needed(size_key("layers", &C::layers, 0, "depth", kMostLayers)),
      needed(size_key("hidden", &C::hidden, 0, "width of a token's state")),
      needed(size_key("heads", &C::heads, 0, "attention heads; they divide hidden")),
      without("4 x hidden", size_key("intermediate", &C::intermediate, 0,
                                     "width of the inner feed-forward layer")),
      size_key("max_positions", &C::max_positions, defaults.max_positions,
               "rows of the position table"),
      without("the tokenizer's",
              size_key("vocabulary", &C::vocabulary, 0, "rows of the word table")),
  };
}

void complete_sizes(Sizes& sizes) {
  if (const auto hidden = sizes.find("hidden"); hidden != sizes.end())
    sizes.emplace("intermediate", 4 * hidden->second);
}

std::vector<SizeConflict> conflicts_of(const Sizes& sizes) {
  const auto hidden = sizes.find("hidden"), heads = sizes.find("heads");
  if (hidden == sizes.end() || heads == sizes.end() || hidden->second % heads->second == 0)
    return {};
  return {{"heads", "does not divide hidden"}};
}

void check_spec(const ModelSpec& spec, Problems& problems) {
  const ModelConfig& c = spec.config;
  for (const auto& [name, value] :
       {std::pair("vocab_size", c.vocabulary), std::pair("num_hidden_layers", c.layers),
        std::pair("hidden_size", c.hidden), std::pair("num_attention_heads", c.heads),
        std::pair("intermediate_size", c.intermediate),
        std::pair("max_position_embeddings", c.max_positions),
        std::pair("type_vocab_size", c.token_types), std::pair("outputs", spec.outputs)}) {
    if (value <= 0) problems.add(name, "must be positive, is " + std::to_string(value));
  }
  if (c.heads > 0 && c.hidden % c.heads != 0) {
    problems.add("hidden_size", std::to_string(c.hidden) + " does not divide into " +
                                    std::to_string(c.heads) + " attention heads");
  }
  if (c.max_positions > 0 && c.longest_row() <= 0) {
    problems.add("max_position_embeddings",
                 "must be more than pad_token_id + 1, is " + std::to_string(c.max_positions));
  }
  if (c.activation != "gelu") {
    problems.add("hidden_act", "\"" + c.activation + "\" is not supported", "use \"gelu\"");
  }
  for (const auto& [name, value] : {std::pair("hidden_dropout_prob", c.hidden_dropout),
                                    std::pair("attention_probs_dropout_prob", c.attention_dropout),
                                    std::pair("classifier_dropout", c.classifier_dropout)}) {
    if (!(value >= 0.0 && value < 1.0)) problems.add(name, "must be in [0, 1)");
  }
}

bool decays(const std::string& name) {
  return name.find("bias") == std::string::npos &&
         name.find("LayerNorm.weight") == std::string::npos;
}

FirstValues first_values(const std::string& name, const ModelConfig& config) {
  if (name.ends_with("LayerNorm.weight")) return {.constant = 1.0};
  if (name.ends_with("bias")) return {};
  return {.deviation = config.initializer_range};
}

// The embedding's 2 H; in each layer Q, K and V, the context, both normalised sums and both outputs
// (8 H), and the inner layer before and after GELU (2 I). The last layer goes on with [CLS] alone
// after its attention. Backward adds about one layer's gradients.
int64_t activation_floats(const ModelConfig& config) {
  const int64_t wide = 2 * config.intermediate;
  return 2 * config.hidden + (config.layers - 1) * (8 * config.hidden + wide) + 4 * config.hidden +
         3 * config.hidden + wide;
}

CheckpointNames checkpoint_names(const std::string& name) {
  return {.prefix = name + ".",
          .prefixed = {kEncoderEmbeddings, "encoder.", "pooler."},
          .needed = {kEncoderEmbeddings, "encoder."},
          .landmark = std::string(kEncoderEmbeddings) + "word_embeddings.weight",
          .layer = kEncoderLayer,
          .renamed_ends = {{"LayerNorm.gamma", "LayerNorm.weight"},
                           {"LayerNorm.beta", "LayerNorm.bias"}}};
}

}  // namespace

ModelConfig encoder_defaults() {
  ModelConfig config;
  config.max_positions = 512;
  config.token_types = 2;
  config.layer_norm_eps = 1e-12;
  config.set_dropout(0.1);
  config.initializer_range = 0.02;
  config.activation = "gelu";  // by erf; others are refused
  return config;
}

Architecture transformer_entry(const std::string& name, const ModelConfig& defaults) {
  Architecture entry;
  entry.name = name;
  entry.low_precision = true;
  entry.sizes = size_keys(defaults);
  entry.defaults = defaults;
  entry.defaults.architecture = name;
  entry.complete = complete_sizes;
  entry.conflicts = conflicts_of;
  return entry;
}

Architecture encoder_entry(const std::string& name, const ModelConfig& defaults,
                           const EncoderFamily& family) {
  Architecture entry = transformer_entry(name, defaults);
  entry.names = checkpoint_names(name);
  entry.check = check_spec;
  entry.declare = [family](const ModelSpec& spec, ParameterLayout& layout) {
    declare_encoder(spec, family, layout);
  };
  entry.decays = decays;
  entry.first_values = first_values;
  entry.make = [family](const ModelConfig& config, Parameters parameters) {
    return make_encoder(config, std::move(parameters), family);
  };
  entry.activation_floats = activation_floats;
  return entry;
}

ModelConfig read_encoder_config(ConfigJson& json, const ModelConfig& absent) {
  ModelConfig config = absent;
  json.only("hidden_act", config.activation);
  json.only("position_embedding_type", "absolute");
  json.only("pooler_type", "first_token_transform");
  for (const char* key : {"is_decoder", "add_cross_attention", "is_encoder_decoder"})
    json.never(key, "only encoders are");
  json.never("pruned_heads", "a network with all of its heads is needed");
  json.never("quantization_config", "weights in float32, float16 or bfloat16 are needed");
  json.never("auto_map", "the model has code of its own, which is not run");
  json.size("vocab_size", config.vocabulary, true);
  json.size("num_hidden_layers", config.layers, true, kMostLayers);
  json.size("hidden_size", config.hidden, true);
  json.size("num_attention_heads", config.heads, true);
  json.size("intermediate_size", config.intermediate, true);
  json.size("max_position_embeddings", config.max_positions, false);
  json.size("type_vocab_size", config.token_types, false);
  json.number("pad_token_id", config.pad_token_id, {0, kLargestSize}, false);
  json.real("layer_norm_eps", config.layer_norm_eps, 0, 1);
  json.real("hidden_dropout_prob", config.hidden_dropout, 0, 1);
  json.real("attention_probs_dropout_prob", config.attention_dropout, 0, 1);
  json.real("initializer_range", config.initializer_range, 0, 1e3);
  config.classifier_dropout = config.hidden_dropout;
  json.real("classifier_dropout", config.classifier_dropout, 0, 1);
  if (config.longest_row() <= 0) {
    json.problem("max_position_embeddings", "must be more than pad_token_id + 1");
  }
  if (config.heads > 0 && config.hidden % config.heads != 0) {
    json.problem("num_attention_heads", "must divide hidden_size");
  }
  return config;
}

void write_encoder_config(const ModelConfig& config, nlohmann::json& json) {
  json.update({{"vocab_size", config.vocabulary},
               {"hidden_size", config.hidden},
               {"num_hidden_layers", config.layers},
               {"num_attention_heads", config.heads},
               {"intermediate_size", config.intermediate},
               {"hidden_act", config.activation},
               {"max_position_embeddings", config.max_positions},
               {"type_vocab_size", config.token_types},
               {"layer_norm_eps", config.layer_norm_eps},
               {"hidden_dropout_prob", config.hidden_dropout},
               {"attention_probs_dropout_prob", config.attention_dropout},
               {"classifier_dropout", config.classifier_dropout},
               {"initializer_range", config.initializer_range},
               {"pad_token_id", config.pad_token_id},
               {"position_embedding_type", "absolute"}});
}

Preset encoder_preset(const char* name, int64_t layers, int64_t hidden, int64_t heads) {
  return {name, {{"layers", layers}, {"hidden", hidden}, {"heads", heads}}};
}

}  // namespace kdbench
