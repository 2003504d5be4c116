// SPDX-License-Identifier: MIT
// What a language model offers: losses of the next tokens for training, and the decoding of rows
// token by token for sampling.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "methods/models/model.h"

namespace kdbench {

// The texts that are being continued, each at a place 0 .. places - 1 with what the network keeps
// of its tokens. A place's logits do not depend on which other places are read with it, bit for
// bit.
class Decoder {
 public:
  virtual ~Decoder() = default;

  // Ids of one place, most.
  virtual int64_t longest() const = 0;
  virtual int64_t length(int64_t place) const = 0;
  // Forgets the place's text: a new one begins there.
  virtual void clear(int64_t place) = 0;
  // Reads one id more at each of `places`, which are distinct -> (places, V) float32 on the CPU:
  // scores of the id after it, whose softmax are the probabilities. Throws a user error for an id
  // outside the vocabulary; a place that is full already is the caller's mistake.
  virtual at::Tensor advance(const std::vector<int64_t>& places,
                             const std::vector<int64_t>& ids) = 0;
  // Reads `ids`, of which there are some, at one place as one piece -> (V), the scores behind the
  // last of them.
  virtual at::Tensor read(int64_t place, const std::vector<int64_t>& ids) = 0;
};

class LanguageModel : public Model {
 public:
  // -log p(target | all ids before it in its row) of every target, row by row: (targets) float32,
  // differentiable unless a NoGradGuard is active. A row's targets are its ids but the first, from
  // the index that field::kFirstTarget gives, where the batch has that. Scores are computed block
  // by block, again in backward (ops/target_loss.h), never all held. Throws a user error for ids
  // outside the vocabulary and for rows with more tokens than the model has positions.
  virtual at::Tensor target_losses(const Batch& batch, const ForwardMode& mode) = 0;

  // For texts of up to `longest` ids each. The model must not learn or go while it is in use.
  virtual std::unique_ptr<Decoder> decoder(int64_t places, int64_t longest) const = 0;

  // A language model has no classes: both are a programmer's mistake.
  Outputs forward(const Batch& batch, const ForwardMode& mode) final;
  // "": there is no such layer.
  std::string classifier() const final { return ""; }

 protected:
  using Model::Model;
};

// (rows + 1) int64, CPU: row r has the losses offsets[r] .. offsets[r + 1] - 1 of target_losses.
// The last is the number of targets, of which a loss is the mean.
at::Tensor target_offsets(const Batch& batch);

// Where the targets of a batch stand: each is the token after the position that tells it.
struct Targets {
  at::Tensor positions;  // (targets) int64: tokens of the batch whose states tell the targets
  at::Tensor ids;        // (targets) int64
};
// On the device of the batch's tokens.
Targets find_targets(const Batch& batch);

// `spec` of an architecture that is one; as make_model. Throws a user error for another kind.
std::unique_ptr<LanguageModel> make_language_model(const ModelSpec& spec);

}  // namespace kdbench
