// SPDX-License-Identifier: MIT
// Hugging Face model folders: config.json and weights in, the same out.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/weights/safetensors.h"

namespace kdbench {

// Sizes of a model, in the words of config.json.
struct ModelConfig {
  std::string architecture = "bert";  // model_type: bert or roberta
  int64_t vocabulary = 0;
  int64_t layers = 0;
  int64_t hidden = 0;
  int64_t heads = 0;
  int64_t intermediate = 0;
  int64_t max_positions = 512;
  int64_t token_types = 2;
  double layer_norm_eps = 1e-12;
  double hidden_dropout = 0.1;
  double attention_dropout = 0.1;
  double classifier_dropout = 0.1;
  double initializer_range = 0.02;
  int64_t pad_token_id = 0;
  std::string activation = "gelu";  // erf gelu only; others are refused
  std::vector<std::string>
      labels;  // id2label in order; empty when absent or only LABEL_0, LABEL_1, ...

  // Row of the position table that a row's first token has: RoBERTa counts on from its padding's.
  int64_t first_position() const { return architecture == "roberta" ? pad_token_id + 1 : 0; }
  // Tokens of the longest row that there are positions for.
  int64_t longest_row() const { return max_positions - first_position(); }
};

// Throws one user error listing all that is missing, of the wrong type or not supported (file and
// key).
ModelConfig read_model_config(const std::filesystem::path& folder);
// config.json as transformers writes it (architectures, model_type, id2label, ...).
nlohmann::json to_config_json(const ModelConfig& config);

// The weights of a folder, F16/BF16/F64 converted to float32, names normalised: a leading "bert."
// or "roberta." removed, LayerNorm.gamma/beta renamed to weight/bias, position_ids dropped.
// model.safetensors, also sharded by model.safetensors.index.json. pytorch_model.bin is refused
// with the conversion command: LibTorch's unpickler cannot read a state dict's OrderedDict.
TensorMap read_model_weights(const std::filesystem::path& folder);
// Of the weight files' bytes.
std::string model_weights_sha256(const std::filesystem::path& folder);

}  // namespace kdbench
