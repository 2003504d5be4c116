// SPDX-License-Identifier: MIT
#include "methods/models/bilstm.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "methods/ops/dropout.h"
#include "methods/ops/linear.h"
#include "methods/ops/lookup.h"
#include "methods/ops/lstm.h"
#include "methods/ops/row_states.h"

namespace kdbench {
namespace {

constexpr const char* kHidden = "hidden";
constexpr const char* kClassifier = "classifier";
constexpr uint32_t kDropoutPlace = 0;  // it drops in one place

bool has_trained(const ModelConfig& config) { return config.vector_mode != vector_mode::kStatic; }
bool has_static(const ModelConfig& config) {
  return config.vector_mode == vector_mode::kStatic || config.vector_mode == vector_mode::kBoth;
}
bool takes_largest(const ModelConfig& config) { return config.pooling == "max"; }

std::string lstm_name(const char* kind, const char* direction) {
  return std::string("lstm.") + kind + "_l0" + direction;
}

// Both directions of it as one block.
void add_directions(ParameterLayout& layout, const char* kind, const std::vector<int64_t>& shape) {
  layout.add_stacked({lstm_name(kind, ""), lstm_name(kind, "_reverse")}, shape);
}

void add_layer(ParameterLayout& layout, const std::string& name, int64_t out, int64_t in) {
  layout.add(name + ".weight", {out, in});
  layout.add(name + ".bias", {out});
}

class BiLstm : public Model {
 public:
  BiLstm(const ModelConfig& config, Parameters parameters) : Model(config, std::move(parameters)) {
    const auto both = [&](const char* kind) { return parameters_.stacked(lstm_name(kind, "")); };
    lstm_ = {both("weight_ih"), both("weight_hh"), both("bias_ih"), both("bias_hh")};
  }

  Outputs forward(const Batch& batch, const ForwardMode& mode) override {
    if (mode.cls_states || mode.attention || !mode.hidden_layers.empty())
      throw std::logic_error("BiLstm: there are no states of layers");
    const Ragged& tokens = batch.ragged_field(field::kTokens);
    check_ids(tokens.values);
    const TokenRows rows = make_token_rows(tokens.offsets, batch.row_ids, tokens.values.device());
    const StepRows texts(text_offsets(batch), tokens.values.device());
    const at::Tensor states = lstm(words(tokens.values, rows, texts, mode), texts, lstm_);
    const at::Tensor kept =
        takes_largest(config_) ? largest_states(states, texts) : end_states(states, texts);
    Outputs outputs;
    outputs.pooled = config_.pair ? compared(kept, batch.rows()) : kept;
    outputs.logits = classify(outputs.pooled, rows, mode);
    return outputs;
  }

  double forward_flops(int64_t length) const override {
    const auto width = static_cast<double>(config_.hidden),
               classes = static_cast<double>(outputs());
    const auto in = static_cast<double>(bilstm_input(config_));
    const auto features = static_cast<double>(bilstm_features(config_));
    const auto inner = static_cast<double>(config_.fc);
    const double head = config_.fc > 0 ? 2 * inner * (features + classes) : 2 * features * classes;
    return static_cast<double>(length) * 2 * 8 * width * (in + width) + head;
  }

  std::string classifier() const override { return kClassifier; }

 private:
  // Of all texts: a pair's two stand side by side in its row.
  at::Tensor text_offsets(const Batch& batch) const {
    const at::Tensor& offsets = batch.ragged_field(field::kTokens).offsets;
    if (!config_.pair) return offsets;
    const at::Tensor starts = offsets.narrow(0, 0, batch.rows());
    const at::Tensor middles = starts + batch.dense_field(field::kFirstSegment);
    return at::cat(
        {at::stack({starts, middles}, 1).view({-1}), offsets.narrow(0, batch.rows(), 1)});
  }

  // (T, input) by steps.
  at::Tensor words(const at::Tensor& ids, const TokenRows& rows, const StepRows& texts,
                   const ForwardMode& mode) const {
    const at::Tensor by_steps = ids.index_select(0, texts.order());
    std::vector<at::Tensor> vectors;
    if (has_trained(config_)) vectors.push_back(lookup(parameters_[kTrainedVectors], by_steps));
    if (has_static(config_))
      vectors.push_back(parameters_[kStaticVectors].index_select(0, by_steps));
    const at::Tensor x = vectors.size() == 1 ? vectors.front() : at::cat(vectors, 1);
    const Dropout site = dropout_at(mode, takes_largest(config_));
    if (!site.active()) return x;
    TokenRows arranged = rows;
    for (at::Tensor* per_token : {&arranged.row, &arranged.row_id, &arranged.position})
      *per_token = per_token->index_select(0, texts.order());
    return dropout(x, site, arranged);
  }

  // (2 b, W) of the texts -> (b, 4 W) of the pairs.
  static at::Tensor compared(const at::Tensor& kept, int64_t rows) {
    const at::Tensor pairs = kept.view({rows, 2, kept.size(1)});
    const at::Tensor u = pairs.select(1, 0), v = pairs.select(1, 1);
    return at::cat({u, v, (u - v).abs(), u * v}, 1);
  }

  at::Tensor classify(const at::Tensor& features, const TokenRows& rows,
                      const ForwardMode& mode) const {
    at::Tensor state = features;
    if (config_.fc > 0) {
      state = layer(kHidden, state);
      if (config_.activation == "relu") state = state.relu();
    }
    const Dropout site = dropout_at(mode, !takes_largest(config_));
    if (site.active()) state = dropout(state, site, first_tokens(rows));
    return layer(kClassifier, state);
  }

  at::Tensor layer(const std::string& name, const at::Tensor& x) const {
    return kdbench::linear(x, parameters_[name + ".weight"], parameters_[name + ".bias"]);
  }

  Dropout dropout_at(const ForwardMode& mode, bool here) const {
    return {mode.training && here ? config_.classifier_dropout : 0.0, mode.key, kDropoutPlace};
  }

  LstmParameters lstm_;
};

}  // namespace

int64_t bilstm_input(const ModelConfig& config) {
  return config.embedding * (config.vector_mode == vector_mode::kBoth ? 2 : 1);
}

int64_t bilstm_features(const ModelConfig& config) { return config.hidden * (config.pair ? 8 : 2); }

void declare_bilstm(const ModelSpec& spec, ParameterLayout& layout) {
  const ModelConfig& c = spec.config;
  if (has_trained(c)) layout.add_token_table(kTrainedVectors, {c.vocabulary, c.embedding});
  if (has_static(c)) layout.add_constant(kStaticVectors, {c.vocabulary, c.embedding});
  add_directions(layout, "weight_ih", {4 * c.hidden, bilstm_input(c)});
  add_directions(layout, "weight_hh", {4 * c.hidden, c.hidden});
  add_directions(layout, "bias_ih", {4 * c.hidden});
  add_directions(layout, "bias_hh", {4 * c.hidden});
  if (c.fc > 0) add_layer(layout, kHidden, c.fc, bilstm_features(c));
  add_layer(layout, kClassifier, spec.outputs, c.fc > 0 ? c.fc : bilstm_features(c));
}

std::unique_ptr<Model> make_bilstm(const ModelConfig& config, Parameters parameters) {
  return std::make_unique<BiLstm>(config, std::move(parameters));
}

}  // namespace kdbench
