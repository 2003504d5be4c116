// SPDX-License-Identifier: MIT
// The network of BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019): one post-norm transformer
// encoder with a classification head on the first token. Everything runs on the (T tokens, H)
// matrix of the batch; only attention sees rows.
#pragma once

#include <memory>
#include <string>

#include "methods/models/model.h"

namespace kdbench {

// Beginnings of its parameters' names, as in Hugging Face files behind the architecture's prefix.
inline constexpr const char* kEncoderEmbeddings = "embeddings.";
inline constexpr const char* kEncoderLayer = "encoder.layer.";

// What the architectures differ in, beside ModelConfig::first_position(). The head is dropout on
// the first token's state where `drops_state`, `dense`, tanh (Outputs::pooled), dropout,
// `classifier`.
struct EncoderFamily {
  std::string dense, classifier;  // names of the head's layers
  bool drops_state = false;
  bool second_type = false;  // the second segment has token type 1, else all types are 0
};

void declare_encoder(const ModelSpec& spec, const EncoderFamily& family, ParameterLayout& layout);
// Takes the field kTokens, with a second type kFirstSegment too. `parameters` as declared above.
std::unique_ptr<Model> make_encoder(const ModelConfig& config, Parameters parameters,
                                    const EncoderFamily& family);

}  // namespace kdbench
