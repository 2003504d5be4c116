// SPDX-License-Identifier: MIT
// BERT: two token types, and a pooler between the first token's state and the classifier.
#include "methods/models/encoder_entry.h"
#include "methods/models/entries.h"

namespace kdbench {

Architecture bert_entry() {
  const EncoderFamily family{.dense = "pooler.dense",
                             .classifier = "classifier",
                             .drops_state = false,
                             .second_type = true};
  Architecture entry = encoder_entry("bert", encoder_defaults(), family);
  entry.summary = "A transformer encoder without padding, pooled on [CLS] (Devlin et al. 2019)";
  entry.masked_form = "bert-masked";
  // Small shapes: Turc et al. 2019; 3 and 6 layers of bert-base: students of Patient KD.
  entry.presets = {
      encoder_preset("bert-tiny", 2, 128, 2),    encoder_preset("bert-mini", 4, 256, 4),
      encoder_preset("bert-small", 4, 512, 8),   encoder_preset("bert-medium", 8, 512, 8),
      encoder_preset("bert-base-3", 3, 768, 12), encoder_preset("bert-base-6", 6, 768, 12),
      encoder_preset("bert-base", 12, 768, 12),  encoder_preset("bert-large", 24, 1024, 16)};
  entry.read_config = [](ConfigJson& json) {
    return read_encoder_config(json, encoder_defaults());
  };
  entry.write_config = [](const ModelConfig& config, nlohmann::json& json) {
    write_encoder_config(config, json);
    json["architectures"] = {"BertForSequenceClassification"};
  };
  return entry;
}

}  // namespace kdbench
