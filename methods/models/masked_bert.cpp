// SPDX-License-Identifier: MIT
// BERT as a masked language model (Devlin et al. 2019, 3.1): the encoder, and behind it a dense
// layer, GELU and a norm before the table of its tokens as output matrix, with a bias. Hugging
// Face's BertForMaskedLM.
#include <algorithm>
#include <utility>

#include "io/batches/text_dataset.h"
#include "methods/models/encoder_entry.h"
#include "methods/models/entries.h"
#include "methods/models/masked_model.h"
#include "methods/ops/bias_gelu.h"
#include "methods/ops/target_loss.h"

namespace kdbench {
namespace {

constexpr const char* kTransform = "cls.predictions.transform.dense";
constexpr const char* kTransformNorm = "cls.predictions.transform.LayerNorm";
constexpr const char* kOutputBias = "cls.predictions.bias";

// Floats that score() holds at once.
constexpr int64_t kHeldScores = int64_t{1} << 21;

class MaskedBert : public MaskedModel {
 public:
  MaskedBert(const ModelConfig& config, Parameters parameters)
      : MaskedModel(config, std::move(parameters)),
        body_(config_, parameters_, /*second_type=*/true),
        tokens_(parameters_[kEncoderWords]),
        bias_(parameters_[kOutputBias]) {}

  at::Tensor target_losses(const Batch& batch, const ForwardMode& mode) override {
    const Targets targets = masked_targets(batch);
    const at::Tensor states = states_of(batch, targets.positions, mode).to(mode.type);
    if (mode.type == at::kFloat) return target_loss(states, tokens_, bias_, targets.ids);
    return target_loss(states, tokens_, bias_, targets.ids,
                       parameters_.rounded(tokens_, mode.type));
  }

  void score(const Batch& batch, const at::Tensor& places, const PlaceScores& take) const override {
    const at::NoGradGuard no_gradients;
    const at::Tensor states = states_of(batch, places, {});
    const int64_t step = std::max<int64_t>(1, kHeldScores / config_.vocabulary);
    for (int64_t first = 0; first < states.size(0); first += step) {
      const at::Tensor some = states.narrow(0, first, std::min(step, states.size(0) - first));
      take(first, at::addmm(bias_, some, tokens_.t()).to(at::kCPU));
    }
  }

  double forward_flops(int64_t length) const override {
    const double told = kMaskedShare * static_cast<double>(length);
    const auto width = static_cast<double>(config_.hidden);
    return body_.flops(length, told) +
           told * 2 * width * (width + static_cast<double>(config_.vocabulary));
  }

 private:
  // (n, H) float32: what the output matrix reads of the tokens `index`.
  at::Tensor states_of(const Batch& batch, const at::Tensor& index, const ForwardMode& mode) const {
    const TokenRows rows = checked_rows(batch, "lower transfer.text_length");
    const ReadTokens read{index, some_tokens(rows, index)};
    Outputs unused;
    const at::Tensor state = body_.states(batch, rows, read, mode, unused);
    const std::string dense = kTransform, norm = kTransformNorm;
    const at::Tensor inner =
        bias_gelu(body_.product(state.to(mode.type), parameters_[dense + ".weight"]),
                  parameters_[dense + ".bias"]);
    return at::layer_norm(inner.to(at::kFloat), {config_.hidden}, parameters_[norm + ".weight"],
                          parameters_[norm + ".bias"], config_.layer_norm_eps);
  }

  const EncoderBody body_;
  const at::Tensor tokens_, bias_;
};

void declare_masked_bert(const ModelSpec& spec, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  declare_encoder_body(c, /*tied=*/true, layout);
  declare_dense(layout, kTransform, c.hidden, c.hidden);
  declare_norm(layout, kTransformNorm, c.hidden);
  layout.add(kOutputBias, {c.vocabulary});
}

ModelConfig read_masked_config(ConfigJson& json) {
  bool tied = true;
  json.flag("tie_word_embeddings", tied);
  if (!tied) json.problem("tie_word_embeddings", "false is not supported");
  return read_encoder_config(json, encoder_defaults());
}

// As an encoder's, but that the last layer goes on with the targets, and with the head's three
// states of each.
int64_t masked_activation_floats(const ModelConfig& config) {
  const int64_t hidden = config.hidden, wide = 2 * config.intermediate;
  const auto told = [](int64_t floats) {
    return static_cast<int64_t>(kMaskedShare * static_cast<double>(floats)) + 1;
  };
  return 2 * hidden + (config.layers - 1) * (8 * hidden + wide) + 4 * hidden +
         told(8 * hidden + wide) + 3 * hidden + wide;
}

}  // namespace

Architecture masked_bert_entry() {
  Architecture entry = encoder_entry("bert-masked", encoder_defaults(), {});
  entry.summary = "BERT that tells masked tokens (Devlin et al. 2019)";
  entry.language_model = entry.fills_masks = true;
  entry.layer_states = false;
  entry.read_config = read_masked_config;
  entry.write_config = [](const ModelConfig& config, nlohmann::json& json) {
    write_encoder_config(config, json);
    json["model_type"] = "bert";
    json["architectures"] = {"BertForMaskedLM"};
  };
  entry.names.prefix = "bert.";
  entry.names.prefixed = {kEncoderEmbeddings, "encoder."};
  // Copies of parameters, and what its pre-training and its classifiers have beside them.
  entry.names.no_parameters = {"cls.predictions.decoder.weight",
                               "cls.predictions.decoder.bias",
                               "cls.seq_relationship.weight",
                               "cls.seq_relationship.bias",
                               "pooler.dense.weight",
                               "pooler.dense.bias"};
  entry.declare = declare_masked_bert;
  entry.make = [](const ModelConfig& config, Parameters parameters) -> std::unique_ptr<Model> {
    return std::make_unique<MaskedBert>(config, std::move(parameters));
  };
  entry.activation_floats = masked_activation_floats;
  return entry;
}

}  // namespace kdbench
