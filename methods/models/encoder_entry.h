// SPDX-License-Identifier: MIT
// What the entries of the encoders have in common: all but the name, its paper, the defaults that
// differ and the presets.
#pragma once

#include "methods/models/architecture.h"
#include "methods/models/encoder.h"

namespace kdbench {

// BERT's, which are also what transformers takes for both architectures where a config.json leaves
// a key out; sizes are 0.
ModelConfig encoder_defaults();

// An entry with the sizes of a transformer alone, whose models given by sizes have `defaults`.
Architecture transformer_entry(const std::string& name, const ModelConfig& defaults);

// An entry whose models given by sizes have `defaults`.
Architecture encoder_entry(const std::string& name, const ModelConfig& defaults,
                           const EncoderFamily& family);

// A config.json's keys; `absent`: what they are where it lacks them.
ModelConfig read_encoder_config(ConfigJson& json, const ModelConfig& absent);
void write_encoder_config(const ModelConfig& config, nlohmann::json& json);

// layers, hidden and heads of a published shape.
Preset encoder_preset(const char* name, int64_t layers, int64_t hidden, int64_t heads);

}  // namespace kdbench
