// SPDX-License-Identifier: MIT
// What a model of texts offers: losses of ids that it is to tell, in place of classes.
#pragma once

#include <memory>
#include <string>

#include "methods/models/model.h"

namespace kdbench {

class TextModel : public Model {
 public:
  // -log p(target | what it sees of the row) of every target, row by row: (targets) float32,
  // differentiable unless a NoGradGuard is active. Which ids are targets, and what is seen, is said
  // by the kinds of models. Scores are computed in chunks and again in backward
  // (ops/target_loss.h), never all held. Throws a user error for ids outside the vocabulary and for
  // rows with more tokens than the model has positions.
  virtual at::Tensor target_losses(const Batch& batch, const ForwardMode& mode) = 0;

  // There are no classes: both are a programmer's mistake.
  Outputs forward(const Batch& batch, const ForwardMode& mode) final;
  // "": there is no such layer.
  std::string classifier() const final { return ""; }

 protected:
  using Model::Model;
};

// Where the targets of a batch stand.
struct Targets {
  at::Tensor positions;  // (targets) int64: tokens of the batch whose states tell the targets
  at::Tensor ids;        // (targets) int64
};

// `spec` of an architecture that is one; as make_model. Throws a user error for another kind.
std::unique_ptr<TextModel> make_text_model(const ModelSpec& spec);

}  // namespace kdbench
