// SPDX-License-Identifier: MIT
#include "methods/models/encoder_body.h"

#include <algorithm>
#include <utility>

#include "methods/ops/attention.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/embedding.h"
#include "methods/ops/linear.h"

namespace kdbench {
namespace {

const std::string kEmbeddings = kEncoderEmbeddings;

std::string layer_prefix(int64_t layer) { return kEncoderLayer + std::to_string(layer) + "."; }

// The numbers of the dropout sites: the embedding, three a layer.
enum LayerSite : int64_t { kAttentionSite, kAttentionOutputSite, kOutputSite, kSitesPerLayer };
constexpr uint32_t kEmbeddingPlace = 0;
uint32_t layer_place(int64_t layer, LayerSite site) {
  return static_cast<uint32_t>(1 + kSitesPerLayer * layer + site);
}

void add_layer(ParameterLayout& layout, const ModelConfig& c, int64_t layer) {
  const std::string prefix = layer_prefix(layer), self = prefix + "attention.self.";
  const auto stack = [&](const std::string& kind) {
    return std::vector<std::string>{self + "query." + kind, self + "key." + kind,
                                    self + "value." + kind};
  };
  layout.add_stacked(stack("weight"), {c.hidden, c.hidden});
  layout.add_stacked(stack("bias"), {c.hidden});
  declare_dense(layout, prefix + "attention.output.dense", c.hidden, c.hidden);
  declare_norm(layout, prefix + "attention.output.LayerNorm", c.hidden);
  declare_dense(layout, prefix + "intermediate.dense", c.intermediate, c.hidden);
  declare_dense(layout, prefix + "output.dense", c.hidden, c.intermediate);
  declare_norm(layout, prefix + "output.LayerNorm", c.hidden);
}

bool wants(const ForwardMode& mode, int64_t layer) {
  const auto& layers = mode.hidden_layers;
  return std::find(layers.begin(), layers.end(), layer) != layers.end();
}

}  // namespace

uint32_t first_head_place(const ModelConfig& config) {
  return layer_place(config.layers, kAttentionSite);
}

void declare_dense(ParameterLayout& layout, const std::string& name, int64_t out, int64_t in) {
  layout.add(name + ".weight", {out, in});
  layout.add(name + ".bias", {out});
}

void declare_norm(ParameterLayout& layout, const std::string& name, int64_t width) {
  layout.add(name + ".weight", {width});
  layout.add(name + ".bias", {width});
}

void declare_encoder_body(const ModelConfig& c, bool tied, ParameterLayout& layout) {
  if (tied) {
    layout.add(kEncoderWords, {c.vocabulary, c.hidden});
  } else {
    layout.add_token_table(kEncoderWords, {c.vocabulary, c.hidden});
  }
  layout.add(kEmbeddings + "position_embeddings.weight", {c.max_positions, c.hidden});
  layout.add(kEmbeddings + "token_type_embeddings.weight", {c.token_types, c.hidden});
  declare_norm(layout, kEmbeddings + "LayerNorm", c.hidden);
  for (int64_t layer = 0; layer < c.layers; ++layer) add_layer(layout, c, layer);
}

EncoderBody::EncoderBody(const ModelConfig& config, const Parameters& parameters, bool second_type)
    : config_(config),
      parameters_(parameters),
      second_type_(second_type),
      embedding_norm_(norm(kEmbeddings + "LayerNorm")) {
  for (int64_t layer = 0; layer < config_.layers; ++layer) layers_.push_back(bind(layer));
}

at::Tensor EncoderBody::states(const Batch& batch, const TokenRows& rows, const ReadTokens& read,
                               const ForwardMode& mode, Outputs& outputs) const {
  TokenRows reached = rows;  // the tokens that the current state has
  const bool all_to_the_end = wants(mode, config_.layers);
  at::Tensor state = embed(batch, rows, mode).to(mode.type);
  outputs.hidden.resize(config_.layers + 1);
  if (wants(mode, 0)) outputs.hidden[0] = state.to(at::kFloat);
  std::vector<at::Tensor> cls;
  for (int64_t layer = 0; layer < config_.layers; ++layer) {
    at::Tensor context = attend(state, layer, rows, mode, outputs);
    if (layer + 1 == config_.layers && !all_to_the_end) {
      // Nothing else is read from here on.
      context = context.index_select(0, read.index);
      state = state.index_select(0, read.index);
      reached = read.rows;
    }
    state = finish_layer(context, state, layer, reached, mode);
    if (wants(mode, layer + 1)) outputs.hidden[layer + 1] = state.to(at::kFloat);
    if (mode.cls_states) cls.push_back(first_tokens(state, reached));
  }
  if (mode.cls_states) outputs.cls = at::stack(cls, 1).to(at::kFloat);
  if (all_to_the_end) state = state.index_select(0, read.index);
  return state.to(at::kFloat);
}

double EncoderBody::flops(int64_t length, double read) const {
  const auto tokens = static_cast<double>(length), width = static_cast<double>(config_.hidden);
  const auto inner = static_cast<double>(config_.intermediate);
  const double project = 2 * 3 * width * width, attend = 2 * 2 * tokens * width;  // a token
  const double rest = 2 * width * width + 2 * 2 * width * inner;
  const auto layers = static_cast<double>(config_.layers);
  return layers * tokens * (project + attend) + ((layers - 1) * tokens + read) * rest;
}

at::Tensor EncoderBody::product(const at::Tensor& x, const at::Tensor& weight) const {
  if (x.scalar_type() == at::kFloat) return kdbench::linear(x, weight);
  return linear_rounded(x, weight, parameters_.rounded(weight, x.scalar_type()));
}

LayerNormParameters EncoderBody::norm(const std::string& name) const {
  return {parameters_[name + ".weight"], parameters_[name + ".bias"], config_.layer_norm_eps};
}

EncoderBody::Dense EncoderBody::dense(const std::string& name) const {
  return {parameters_.stacked(name + ".weight"), parameters_.stacked(name + ".bias")};
}

EncoderBody::Layer EncoderBody::bind(int64_t layer) const {
  const std::string prefix = layer_prefix(layer);
  return {dense(prefix + "attention.self.query"),      dense(prefix + "attention.output.dense"),
          dense(prefix + "intermediate.dense"),        dense(prefix + "output.dense"),
          norm(prefix + "attention.output.LayerNorm"), norm(prefix + "output.LayerNorm")};
}

at::Tensor EncoderBody::embed(const Batch& batch, const TokenRows& rows,
                              const ForwardMode& mode) const {
  const at::Tensor& ids = batch.ragged_field(field::kTokens).values;
  at::Tensor types = at::zeros_like(ids);
  if (second_type_ && config_.token_types > 1) {
    const at::Tensor first = batch.dense_field(field::kFirstSegment).to(ids.device());
    types = rows.position.ge(first.index_select(0, rows.row)).to(at::kLong);
  }
  return embedding(
      ids, types,
      {parameters_[kEncoderWords], parameters_[kEmbeddings + "position_embeddings.weight"],
       parameters_[kEmbeddings + "token_type_embeddings.weight"], config_.first_position()},
      embedding_norm_, mode.dropout(config_.hidden_dropout, kEmbeddingPlace), rows);
}

at::Tensor EncoderBody::attend(const at::Tensor& state, int64_t layer, const TokenRows& rows,
                               const ForwardMode& mode, Outputs& outputs) const {
  const Dense& qkv = layers_[layer].qkv;
  const Dropout site = mode.dropout(config_.attention_dropout, layer_place(layer, kAttentionSite));
  const at::Tensor projected = product(state, qkv.weight);
  if (!mode.attention) return attention(projected, qkv.bias, rows, config_.heads, site);
  auto [context, probabilities] =
      attention_reference(projected.to(at::kFloat), qkv.bias, rows, config_.heads, site);
  outputs.attention.push_back(std::move(probabilities));
  return context.to(mode.type);
}

// What follows attention: its output projection and the feed-forward half.
at::Tensor EncoderBody::finish_layer(const at::Tensor& context, const at::Tensor& state,
                                     int64_t layer, const TokenRows& rows,
                                     const ForwardMode& mode) const {
  const Layer& p = layers_[layer];
  const double probability = config_.hidden_dropout;
  const at::Tensor middle = dropout_add_layer_norm(
      product(context, p.attention_output.weight), p.attention_output.bias, state, p.attention_norm,
      mode.dropout(probability, layer_place(layer, kAttentionOutputSite)), rows);
  const at::Tensor inner = bias_gelu(product(middle, p.intermediate.weight), p.intermediate.bias);
  return dropout_add_layer_norm(product(inner, p.output.weight), p.output.bias, middle,
                                p.output_norm,
                                mode.dropout(probability, layer_place(layer, kOutputSite)), rows);
}

}  // namespace kdbench
