// SPDX-License-Identifier: MIT
// The post-norm transformer encoder of BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019),
// without a head. Everything runs on the (T tokens, H) matrix of the batch; only attention sees
// rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "methods/models/model.h"
#include "methods/ops/dropout_add_layer_norm.h"

namespace kdbench {

// Beginnings of its parameters' names, as in Hugging Face files behind the architecture's prefix.
inline constexpr const char* kEncoderEmbeddings = "embeddings.";
inline constexpr const char* kEncoderLayer = "encoder.layer.";
// The table of its tokens.
inline constexpr const char* kEncoderWords = "embeddings.word_embeddings.weight";

// Of a linear layer, <name>.weight (out, in) and <name>.bias; of a norm, both (width).
void declare_dense(ParameterLayout& layout, const std::string& name, int64_t out, int64_t in);
void declare_norm(ParameterLayout& layout, const std::string& name, int64_t width);

// `tied`: the table of tokens is an output matrix too, with gradients in all rows.
void declare_encoder_body(const ModelConfig& config, bool tied, ParameterLayout& layout);

// Tokens of a batch, in their order, whose states behind the last layer are read.
struct ReadTokens {
  at::Tensor index;  // (n) int64, on the device of the tokens
  TokenRows rows;    // of these alone
};

class EncoderBody {
 public:
  // Of a model's own, which outlive it. `second_type`: the second segment has token type 1, else
  // all types are 0.
  EncoderBody(const ModelConfig& config, const Parameters& parameters, bool second_type);

  // (n, H) float32: states behind the last layer. Fills what `mode` asks for of Outputs::hidden,
  // cls (where each row's first token is read) and attention. Takes the field kTokens, with a
  // second type kFirstSegment too; `rows` are checked.
  at::Tensor states(const Batch& batch, const TokenRows& rows, const ReadTokens& read,
                    const ForwardMode& mode, Outputs& outputs) const;

  // Of a pass on a row of `length` tokens, `read` of which are read (Model::forward_flops).
  double flops(int64_t length, double read) const;

  // x W^T in x's type.
  at::Tensor product(const at::Tensor& x, const at::Tensor& weight) const;

 private:
  struct Dense {
    at::Tensor weight, bias;
  };
  struct Layer {
    Dense qkv, attention_output, intermediate, output;
    LayerNormParameters attention_norm, output_norm;
  };

  LayerNormParameters norm(const std::string& name) const;
  Dense dense(const std::string& name) const;
  Layer bind(int64_t layer) const;
  at::Tensor embed(const Batch& batch, const TokenRows& rows, const ForwardMode& mode) const;
  at::Tensor attend(const at::Tensor& state, int64_t layer, const TokenRows& rows,
                    const ForwardMode& mode, Outputs& outputs) const;
  at::Tensor finish_layer(const at::Tensor& context, const at::Tensor& state, int64_t layer,
                          const TokenRows& rows, const ForwardMode& mode) const;

  const ModelConfig& config_;
  const Parameters& parameters_;
  const bool second_type_;
  LayerNormParameters embedding_norm_;
  std::vector<Layer> layers_;
};

// The first numbers of dropout sites (ForwardMode::dropout) that a head may take.
uint32_t first_head_place(const ModelConfig& config);

}  // namespace kdbench
