// SPDX-License-Identifier: MIT
// RoBERTa: BERT's encoder with one token type, positions that count on from the padding's, and a
// head of its own.
#include "methods/models/encoder_entry.h"
#include "methods/models/entries.h"

namespace kdbench {
namespace {

// What transformers takes where a config.json leaves a key out.
ModelConfig absent_keys() {
  ModelConfig config = encoder_defaults();
  config.pad_token_id = 1;
  config.positions_after_padding = true;
  return config;
}

// Those of the published models.
ModelConfig defaults() {
  ModelConfig config = absent_keys();
  config.max_positions = 514;  // for rows of 512
  config.token_types = 1;
  config.layer_norm_eps = 1e-5;
  return config;
}

}  // namespace

Architecture roberta_entry() {
  const EncoderFamily family{.dense = "classifier.dense",
                             .classifier = "classifier.out_proj",
                             .drops_state = true,
                             .second_type = false};
  Architecture entry = encoder_entry("roberta", defaults(), family);
  entry.summary = "BERT's encoder with one token type and a head of its own (Liu et al. 2019)";
  entry.presets = {encoder_preset("distilroberta", 6, 768, 12),
                   encoder_preset("roberta-base", 12, 768, 12),
                   encoder_preset("roberta-large", 24, 1024, 16)};
  entry.read_config = [](ConfigJson& json) { return read_encoder_config(json, absent_keys()); };
  entry.write_config = [](const ModelConfig& config, nlohmann::json& json) {
    write_encoder_config(config, json);
    json["architectures"] = {"RobertaForSequenceClassification"};
    json["bos_token_id"] = 0;
    json["eos_token_id"] = 2;
  };
  return entry;
}

}  // namespace kdbench
