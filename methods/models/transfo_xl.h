// SPDX-License-Identifier: MIT
// Transformer-XL (Dai et al. 2019, arXiv 1901.02860): a post-norm transformer that reads a text in
// segments, each with the states of the tokens before it as memory, by distances instead of
// positions; words in clusters by frequency, rarer ones narrower (adaptive softmax). As Hugging
// Face's model does it: a text begins with a memory of zeros that is attended to, and the entries
// of the tails stand in rising order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "methods/models/language_model.h"
#include "methods/ops/dropout_add_layer_norm.h"

namespace kdbench {

// One cluster of words: ids first .. last - 1. Where all are equally wide they share a table.
struct WordCluster {
  int64_t first = 0, last = 0;
  at::Tensor table, bias;     // its own or the shared ones: (., width), (.) of the output
  at::Tensor in_projection;   // (d_model, width), or undefined: the widths are equal
  at::Tensor out_projection;  // the same for the output; tied or not

  at::Tensor own_rows() const { return own(table); }
  at::Tensor own_bias() const { return own(bias); }

 private:
  at::Tensor own(const at::Tensor& all) const {
    return all.size(0) == last - first ? all : all.narrow(0, first, last - first);
  }
};

// Its parameters as they are used.
struct TransfoXlParameters {
  struct Layer {
    at::Tensor qkv, distances, output;                // (out, in) each
    at::Tensor content_bias, distance_bias;           // u, v: (heads, d)
    at::Tensor inner, inner_bias, outer, outer_bias;  // the feed-forward half
    LayerNormParameters attention_norm, inner_norm;
  };

  TransfoXlParameters(const ModelConfig& config, const Parameters& parameters);

  std::vector<Layer> layers;
  std::vector<WordCluster> clusters;  // the first is the head's own
  at::Tensor tail_weight, tail_bias;  // (tails, d_embed), (tails); undefined without tails
};

// (distances, d_model): sines, then cosines, of the distances 0, 1, ..., of which those above
// config.clamp_length count as that.
at::Tensor distance_signals(int64_t distances, const ModelConfig& config);

void declare_transfo_xl(const ModelSpec& spec, ParameterLayout& layout);
// Takes the field kTokens. `parameters` as declared above.
std::unique_ptr<Model> make_transfo_xl(const ModelConfig& config, Parameters parameters);

// What the layers keep of row `row` when it has been read to its end: (layers, memory, d_model),
// zeros before its first token.
at::Tensor transfo_xl_memory(const LanguageModel& model, const Batch& batch, int64_t row);

// Scores of a place are log probabilities.
std::unique_ptr<Decoder> make_transfo_xl_decoder(const ModelConfig& config,
                                                 const TransfoXlParameters& parameters,
                                                 int64_t places, int64_t longest);

}  // namespace kdbench
