// SPDX-License-Identifier: MIT
// GPT-2 (Radford et al. 2019): a pre-norm transformer that sees the tokens before alone, with
// learned positions; its output matrix is the table of its tokens. Matrices of layers stand as
// (in, out), as in Hugging Face files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "methods/models/language_model.h"
#include "methods/ops/dropout_add_layer_norm.h"

namespace kdbench {

// Its parameters as they are used.
struct Gpt2Parameters {
  struct Dense {
    at::Tensor weight, bias;  // (in, out), (out)
  };
  struct Layer {
    LayerNormParameters attention_norm, inner_norm;
    Dense qkv, context, inner, output;
  };

  Gpt2Parameters(const ModelConfig& config, const Parameters& parameters);

  at::Tensor tokens, positions;  // (V, H), (positions, H)
  std::vector<Layer> layers;
  LayerNormParameters last_norm;
};

void declare_gpt2(const ModelSpec& spec, ParameterLayout& layout);
// Takes the field kTokens. `parameters` as declared above.
std::unique_ptr<Model> make_gpt2(const ModelConfig& config, Parameters parameters);

// Decoding with what attention keeps of each token (keys and values), without gradients.
std::unique_ptr<Decoder> make_gpt2_decoder(const ModelConfig& config,
                                           const Gpt2Parameters& parameters, int64_t places,
                                           int64_t longest);

}  // namespace kdbench
