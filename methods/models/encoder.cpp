// SPDX-License-Identifier: MIT
#include "methods/models/encoder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "io/base/error.h"
#include "methods/ops/attention.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/dropout_add_layer_norm.h"
#include "methods/ops/embedding.h"
#include "methods/ops/linear.h"

namespace kdbench {
namespace {

const std::string kEmbeddings = kEncoderEmbeddings;

std::string layer_prefix(int64_t layer) { return kEncoderLayer + std::to_string(layer) + "."; }

// The numbers of the dropout sites: the embedding, three a layer, two of the head.
enum LayerSite : int64_t { kAttentionSite, kAttentionOutputSite, kOutputSite, kSitesPerLayer };
constexpr uint32_t kEmbeddingPlace = 0;
uint32_t layer_place(int64_t layer, LayerSite site) {
  return static_cast<uint32_t>(1 + kSitesPerLayer * layer + site);
}
uint32_t classifier_place(int64_t layers) { return layer_place(layers, kAttentionSite); }
uint32_t head_place(int64_t layers) { return classifier_place(layers) + 1; }

void add_dense(ParameterLayout& layout, const std::string& name, int64_t out, int64_t in) {
  layout.add(name + ".weight", {out, in});
  layout.add(name + ".bias", {out});
}

void add_norm(ParameterLayout& layout, const std::string& name, int64_t width) {
  layout.add(name + ".weight", {width});
  layout.add(name + ".bias", {width});
}

void add_layer(ParameterLayout& layout, const ModelConfig& c, int64_t layer) {
  const std::string prefix = layer_prefix(layer), self = prefix + "attention.self.";
  const auto stack = [&](const std::string& kind) {
    return std::vector<std::string>{self + "query." + kind, self + "key." + kind,
                                    self + "value." + kind};
  };
  layout.add_stacked(stack("weight"), {c.hidden, c.hidden});
  layout.add_stacked(stack("bias"), {c.hidden});
  add_dense(layout, prefix + "attention.output.dense", c.hidden, c.hidden);
  add_norm(layout, prefix + "attention.output.LayerNorm", c.hidden);
  add_dense(layout, prefix + "intermediate.dense", c.intermediate, c.hidden);
  add_dense(layout, prefix + "output.dense", c.hidden, c.intermediate);
  add_norm(layout, prefix + "output.LayerNorm", c.hidden);
}

class Encoder : public Model {
 public:
  Encoder(const ModelConfig& config, Parameters parameters, EncoderFamily family)
      : Model(config, std::move(parameters)), family_(std::move(family)) {
    embedding_norm_ = norm(kEmbeddings + "LayerNorm");
    for (int64_t layer = 0; layer < config_.layers; ++layer) layers_.push_back(bind(layer));
  }

  Outputs forward(const Batch& batch, const ForwardMode& mode) override {
    const TokenRows rows = checked_rows(batch, "lower data.max_seq_length");
    TokenRows reached = rows;  // the tokens that the current state has
    Outputs outputs;
    at::Tensor state = embed(batch, rows, mode).to(mode.type);
    outputs.hidden.resize(config_.layers + 1);
    if (wants(mode, 0)) outputs.hidden[0] = state.to(at::kFloat);
    std::vector<at::Tensor> cls;
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      at::Tensor context = attend(state, layer, rows, mode, outputs);
      if (layer + 1 == config_.layers && !wants(mode, config_.layers)) {
        // Only [CLS] is read from here on.
        context = first_tokens(context, rows);
        state = first_tokens(state, rows);
        reached = first_tokens(rows);
      }
      state = finish_layer(context, state, layer, reached, mode);
      if (wants(mode, layer + 1)) outputs.hidden[layer + 1] = state.to(at::kFloat);
      if (mode.cls_states) cls.push_back(first_tokens(state, reached));
    }
    if (mode.cls_states) outputs.cls = at::stack(cls, 1).to(at::kFloat);
    classify(first_tokens(state, reached).to(at::kFloat), first_tokens(rows), mode, outputs);
    return outputs;
  }

  double forward_flops(int64_t length) const override {
    const auto tokens = static_cast<double>(length), width = static_cast<double>(config_.hidden);
    const auto inner = static_cast<double>(config_.intermediate);
    const double project = 2 * 3 * width * width, attend = 2 * 2 * tokens * width;  // a token
    const double rest = 2 * width * width + 2 * 2 * width * inner;
    const auto layers = static_cast<double>(config_.layers);
    const double head = 2 * width * width + 2 * width * static_cast<double>(outputs());
    return layers * tokens * (project + attend) + ((layers - 1) * tokens + 1) * rest + head;
  }

  std::string classifier() const override { return family_.classifier; }

 private:
  struct Dense {
    at::Tensor weight, bias;
  };
  struct Layer {
    Dense qkv, attention_output, intermediate, output;
    LayerNormParameters attention_norm, output_norm;
  };

  LayerNormParameters norm(const std::string& name) const {
    return {parameters_[name + ".weight"], parameters_[name + ".bias"], config_.layer_norm_eps};
  }
  Dense dense(const std::string& name) const {
    return {parameters_.stacked(name + ".weight"), parameters_.stacked(name + ".bias")};
  }
  Layer bind(int64_t layer) const {
    const std::string prefix = layer_prefix(layer);
    return {dense(prefix + "attention.self.query"),      dense(prefix + "attention.output.dense"),
            dense(prefix + "intermediate.dense"),        dense(prefix + "output.dense"),
            norm(prefix + "attention.output.LayerNorm"), norm(prefix + "output.LayerNorm")};
  }

  static bool wants(const ForwardMode& mode, int64_t layer) {
    const auto& layers = mode.hidden_layers;
    return std::find(layers.begin(), layers.end(), layer) != layers.end();
  }

  at::Tensor embed(const Batch& batch, const TokenRows& rows, const ForwardMode& mode) const {
    const at::Tensor& ids = batch.ragged_field(field::kTokens).values;
    at::Tensor types = at::zeros_like(ids);
    if (family_.second_type && config_.token_types > 1) {
      const at::Tensor first = batch.dense_field(field::kFirstSegment).to(ids.device());
      types = rows.position.ge(first.index_select(0, rows.row)).to(at::kLong);
    }
    return embedding(
        ids, types,
        {parameters_[kEmbeddings + "word_embeddings.weight"],
         parameters_[kEmbeddings + "position_embeddings.weight"],
         parameters_[kEmbeddings + "token_type_embeddings.weight"], config_.first_position()},
        embedding_norm_, mode.dropout(config_.hidden_dropout, kEmbeddingPlace), rows);
  }

  at::Tensor attend(const at::Tensor& state, int64_t layer, const TokenRows& rows,
                    const ForwardMode& mode, Outputs& outputs) const {
    const Dense& qkv = layers_[layer].qkv;
    const Dropout site =
        mode.dropout(config_.attention_dropout, layer_place(layer, kAttentionSite));
    const at::Tensor projected = product(state, qkv.weight);
    if (!mode.attention) return attention(projected, qkv.bias, rows, config_.heads, site);
    auto [context, probabilities] =
        attention_reference(projected.to(at::kFloat), qkv.bias, rows, config_.heads, site);
    outputs.attention.push_back(std::move(probabilities));
    return context.to(mode.type);
  }

  // x W^T in x's type.
  at::Tensor product(const at::Tensor& x, const at::Tensor& weight) const {
    if (x.scalar_type() == at::kFloat) return kdbench::linear(x, weight);
    return linear_rounded(x, weight, parameters_.rounded(weight, x.scalar_type()));
  }

  // What follows attention: its output projection and the feed-forward half.
  at::Tensor finish_layer(const at::Tensor& context, const at::Tensor& state, int64_t layer,
                          const TokenRows& rows, const ForwardMode& mode) const {
    const Layer& p = layers_[layer];
    const double probability = config_.hidden_dropout;
    const at::Tensor middle = dropout_add_layer_norm(
        product(context, p.attention_output.weight), p.attention_output.bias, state,
        p.attention_norm, mode.dropout(probability, layer_place(layer, kAttentionOutputSite)),
        rows);
    const at::Tensor inner = bias_gelu(product(middle, p.intermediate.weight), p.intermediate.bias);
    return dropout_add_layer_norm(product(inner, p.output.weight), p.output.bias, middle,
                                  p.output_norm,
                                  mode.dropout(probability, layer_place(layer, kOutputSite)), rows);
  }

  void classify(const at::Tensor& cls, const TokenRows& rows, const ForwardMode& mode,
                Outputs& outputs) const {
    const Dense inner = dense(family_.dense), last = dense(family_.classifier);
    const auto dropped = [&](const at::Tensor& state, uint32_t place) {
      return kdbench::dropout(state, mode.dropout(config_.classifier_dropout, place), rows);
    };
    const at::Tensor state = family_.drops_state ? dropped(cls, head_place(config_.layers)) : cls;
    outputs.pooled = at::tanh(kdbench::linear(state, inner.weight, inner.bias));
    outputs.logits = kdbench::linear(dropped(outputs.pooled, classifier_place(config_.layers)),
                                     last.weight, last.bias);
  }

  const EncoderFamily family_;
  LayerNormParameters embedding_norm_;
  std::vector<Layer> layers_;
};

}  // namespace

void declare_encoder(const ModelSpec& spec, const EncoderFamily& family, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  layout.add_token_table(kEmbeddings + "word_embeddings.weight", {c.vocabulary, c.hidden});
  layout.add(kEmbeddings + "position_embeddings.weight", {c.max_positions, c.hidden});
  layout.add(kEmbeddings + "token_type_embeddings.weight", {c.token_types, c.hidden});
  add_norm(layout, kEmbeddings + "LayerNorm", c.hidden);
  for (int64_t layer = 0; layer < c.layers; ++layer) add_layer(layout, c, layer);
  add_dense(layout, family.dense, c.hidden, c.hidden);
  add_dense(layout, family.classifier, spec.outputs, c.hidden);
}

std::unique_ptr<Model> make_encoder(const ModelConfig& config, Parameters parameters,
                                    const EncoderFamily& family) {
  return std::make_unique<Encoder>(config, std::move(parameters), family);
}

}  // namespace kdbench
