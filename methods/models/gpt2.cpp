// SPDX-License-Identifier: MIT
#include "methods/models/gpt2.h"

#include <utility>

#include "io/base/error.h"
#include "methods/ops/attention.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/dropout_add_then_norm.h"
#include "methods/ops/linear.h"
#include "methods/ops/lookup.h"
#include "methods/ops/target_loss.h"

namespace kdbench {
namespace {

std::string block_prefix(int64_t layer) { return "h." + std::to_string(layer) + "."; }

// The numbers of the dropout sites: the embedding, three a layer.
enum Gpt2Site : int64_t { kProbabilities, kContext, kInnerOutput, kSitesOfLayer };
constexpr uint32_t kEmbeddingSite = 0;
uint32_t site_place(int64_t layer, Gpt2Site site) {
  return static_cast<uint32_t>(1 + kSitesOfLayer * layer + site);
}

class Gpt2 : public LanguageModel {
 public:
  Gpt2(const ModelConfig& config, Parameters parameters)
      : LanguageModel(config, std::move(parameters)), bound_(config_, parameters_) {}

  at::Tensor target_losses(const Batch& batch, const ForwardMode& mode) override {
    const TokenRows rows = checked_rows(batch, "cut the rows to fewer tokens");
    const Targets targets = find_targets(batch);
    const at::Tensor states =
        states_of(batch, rows, mode).index_select(0, targets.positions).to(mode.type);
    if (mode.type == at::kFloat) return target_loss(states, bound_.tokens, {}, targets.ids);
    return target_loss(states, bound_.tokens, {}, targets.ids,
                       parameters_.rounded(bound_.tokens, mode.type));
  }

  std::unique_ptr<Decoder> decoder(int64_t places, int64_t longest) const override {
    return make_gpt2_decoder(config_, bound_, places, longest);
  }

  double forward_flops(int64_t length) const override {
    const auto tokens = static_cast<double>(length), width = static_cast<double>(config_.hidden);
    const auto inner = static_cast<double>(config_.intermediate);
    const double layer = 2 * 4 * width * width + 2 * 2 * tokens * width + 2 * 2 * width * inner;
    return static_cast<double>(config_.layers) * tokens * layer +
           (tokens - 1) * 2 * width * static_cast<double>(config_.vocabulary);
  }

 private:
  // x W in x's type.
  at::Tensor product(const at::Tensor& x, const at::Tensor& weight) const {
    if (x.scalar_type() == at::kFloat) return linear_in_out(x, weight);
    return linear_in_out(x, weight, parameters_.rounded(weight, x.scalar_type()));
  }

  // (T, H) float32 behind the last norm. The sums that go from layer to layer are float32 in any
  // precision.
  at::Tensor states_of(const Batch& batch, const TokenRows& rows, const ForwardMode& mode) const {
    const at::Tensor& ids = batch.ragged_field(field::kTokens).values;
    at::Tensor sum =
        kdbench::dropout(lookup(bound_.tokens, ids) + lookup(bound_.positions, rows.position),
                         mode.dropout(config_.embedding_dropout, kEmbeddingSite), rows);
    const LayerNormParameters& first = bound_.layers.front().attention_norm;
    at::Tensor normalized =
        at::layer_norm(sum, {config_.hidden}, first.gamma, first.beta, first.eps);
    const auto join = [&](const at::Tensor& x, const at::Tensor& bias, uint32_t place,
                          const LayerNormParameters& norm) {
      NormedSum joined = dropout_add_then_norm(x.to(at::kFloat), bias, sum, norm,
                                               mode.dropout(config_.hidden_dropout, place), rows);
      sum = std::move(joined.sum);
      normalized = std::move(joined.normalized);
    };
    for (int64_t layer = 0; layer < config_.layers; ++layer) {
      const Gpt2Parameters::Layer& p = bound_.layers[layer];
      const bool last = layer + 1 == config_.layers;
      const at::Tensor context = attention(
          product(normalized.to(mode.type), p.qkv.weight), p.qkv.bias, rows, config_.heads,
          mode.dropout(config_.attention_dropout, site_place(layer, kProbabilities)),
          Seen::kBefore);
      join(product(context, p.context.weight), p.context.bias, site_place(layer, kContext),
           p.inner_norm);
      const at::Tensor inner =
          bias_gelu(product(normalized.to(mode.type), p.inner.weight), p.inner.bias, Gelu::kTanh);
      join(product(inner, p.output.weight), p.output.bias, site_place(layer, kInnerOutput),
           last ? bound_.last_norm : bound_.layers[layer + 1].attention_norm);
    }
    return normalized;
  }

  const Gpt2Parameters bound_;
};

void add_dense_in_out(ParameterLayout& layout, const std::string& name, int64_t in, int64_t out) {
  layout.add(name + ".weight", {in, out});
  layout.add(name + ".bias", {out});
}

void add_layer_norm(ParameterLayout& layout, const std::string& name, int64_t width) {
  layout.add(name + ".weight", {width});
  layout.add(name + ".bias", {width});
}

}  // namespace

Gpt2Parameters::Gpt2Parameters(const ModelConfig& config, const Parameters& parameters)
    : tokens(parameters["wte.weight"]), positions(parameters["wpe.weight"]) {
  const auto norm = [&](const std::string& name) {
    return LayerNormParameters{parameters[name + ".weight"], parameters[name + ".bias"],
                               config.layer_norm_eps};
  };
  const auto dense = [&](const std::string& name) {
    return Dense{parameters[name + ".weight"], parameters[name + ".bias"]};
  };
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = block_prefix(layer);
    layers.push_back({norm(prefix + "ln_1"), norm(prefix + "ln_2"), dense(prefix + "attn.c_attn"),
                      dense(prefix + "attn.c_proj"), dense(prefix + "mlp.c_fc"),
                      dense(prefix + "mlp.c_proj")});
  }
  last_norm = norm("ln_f");
}

void declare_gpt2(const ModelSpec& spec, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  // The tokens' table is no token table to the trainer: as the output matrix it has gradients in
  // all rows.
  layout.add("wte.weight", {c.vocabulary, c.hidden});
  layout.add("wpe.weight", {c.max_positions, c.hidden});
  for (int64_t layer = 0; layer < c.layers; ++layer) {
    const std::string prefix = block_prefix(layer);
    add_layer_norm(layout, prefix + "ln_1", c.hidden);
    add_dense_in_out(layout, prefix + "attn.c_attn", c.hidden, 3 * c.hidden);
    add_dense_in_out(layout, prefix + "attn.c_proj", c.hidden, c.hidden);
    add_layer_norm(layout, prefix + "ln_2", c.hidden);
    add_dense_in_out(layout, prefix + "mlp.c_fc", c.hidden, c.intermediate);
    add_dense_in_out(layout, prefix + "mlp.c_proj", c.intermediate, c.hidden);
  }
  add_layer_norm(layout, "ln_f", c.hidden);
}

std::unique_ptr<Model> make_gpt2(const ModelConfig& config, Parameters parameters) {
  return std::make_unique<Gpt2>(config, std::move(parameters));
}

}  // namespace kdbench
