// SPDX-License-Identifier: MIT
// BERT and RoBERTa as classifiers: the encoder with a classification head on the first token.
#pragma once

#include <memory>
#include <string>

#include "methods/models/encoder_body.h"

namespace kdbench {

// What the architectures differ in, beside ModelConfig::first_position(). The head is dropout on
// the first token's state where `drops_state`, `dense`, tanh (Outputs::pooled), dropout,
// `classifier`.
struct EncoderFamily {
  std::string dense, classifier;  // names of the head's layers
  bool drops_state = false;
  bool second_type = false;  // see EncoderBody
};

void declare_encoder(const ModelSpec& spec, const EncoderFamily& family, ParameterLayout& layout);
// Takes the field kTokens, with a second type kFirstSegment too. `parameters` as declared above.
std::unique_ptr<Model> make_encoder(const ModelConfig& config, Parameters parameters,
                                    const EncoderFamily& family);

}  // namespace kdbench
