// SPDX-License-Identifier: MIT
// What every network offers: named parameters in one flat layout, and forward(batch) -> Outputs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/batches/batch.h"
#include "methods/models/model_config.h"
#include "methods/models/parameters.h"
#include "methods/ops/dropout.h"
#include "methods/ops/rng.h"
#include "methods/ops/token_rows.h"

namespace kdbench {

// How a forward pass runs and what it returns beside the logits.
struct ForwardMode {
  bool training = false;  // dropout on, keyed by `key`
  // Of the activations, and of the weights in matrix products: kFloat, kBFloat16 or kHalf. What the
  // outputs hold is float32 all the same.
  at::ScalarType type = at::kFloat;
  RandomKey key;
  std::vector<int64_t> hidden_layers;  // of Outputs::hidden; 0: the embedding output
  bool cls_states = false;             // Outputs::cls
  bool attention = false;              // Outputs::attention (takes the plain attention path)

  // The draw at one site of a model; off outside training.
  Dropout dropout(double probability, uint32_t place) const {
    return {training ? probability : 0.0, key, place};
  }
};

// b rows, T tokens of all rows, C classes, H hidden size, N layers.
struct Outputs {
  at::Tensor logits;               // (b, C) float32; regression (b, 1)
  at::Tensor pooled;               // (b, H): tanh(W [CLS] + b), before the classifier's dropout;
                                   // with RoBERTa in the head itself; (b, W) of a BiLSTM: what its
                                   // head reads
  at::Tensor cls;                  // (b, N, H): the first token's state after layers 1..N
  std::vector<at::Tensor> hidden;  // N + 1 of (T, H): the embedding output, then layers 1..N;
                                   // undefined where hidden_layers does not ask
  std::vector<at::Tensor>
      attention;  // N of (b, heads, L, L), L the longest row of the batch, zeros outside a row
};

class Model {
 public:
  virtual ~Model() = default;

  // Differentiable with respect to the parameters unless a NoGradGuard is active. Rows may be none.
  virtual Outputs forward(const Batch& batch, const ForwardMode& mode) = 0;

  // Multiply-add work (2 per multiply-add) of one forward pass on a row of `length` tokens, without
  // embeddings.
  virtual double forward_flops(int64_t length) const = 0;

  // Name of the final linear layer: <name>.weight is (C, width), <name>.bias (C). "" where there is
  // none: then nothing may ask for outputs().
  virtual std::string classifier() const = 0;
  int64_t outputs() const { return parameters_[classifier() + ".bias"].size(0); }

  const ModelConfig& config() const { return config_; }
  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 protected:
  Model() = default;
  Model(ModelConfig config, Parameters parameters)
      : config_(std::move(config)), parameters_(std::move(parameters)) {}

  // The rows of field::kTokens, none longer than the model has positions, and their ids checked:
  // no kernel reads outside a table. A user error otherwise, with the `hint` where rows are longer.
  TokenRows checked_rows(const Batch& batch, const std::string& hint) const;
  // That no id lies outside the vocabulary, so that no kernel reads outside a table: a user error.
  void check_ids(const at::Tensor& ids) const;

  ModelConfig config_;
  Parameters parameters_;
};

struct ModelSpec {
  ModelConfig config;
  int64_t outputs = 2;                // C; 1 for regression
  std::vector<ExtraParameter> extra;  // declared after the network's own
  at::Device device = at::kCPU;
};

// Builds the network of config.architecture with zero parameters. Throws a user error when there is
// no such architecture (it lists the known ones) or the sizes do not fit together.
std::unique_ptr<Model> make_model(const ModelSpec& spec);

// Random initialisation of every parameter by the architecture's rule, keyed by (seed, name);
// N(0, deviation) for an extra parameter that names one.
void initialize_parameters(Model& model, uint64_t seed);

}  // namespace kdbench
