// SPDX-License-Identifier: MIT
// What a language model that goes from left to right offers: losses of the next tokens for
// training, and the decoding of rows token by token for sampling.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "methods/models/text_model.h"

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

// A row's targets are its ids but the first, from the index that field::kFirstTarget gives, where
// the batch has that; all ids before a target are seen.
class LanguageModel : public TextModel {
 public:
  // For texts of up to `longest` ids each. The model must not learn or go while it is in use.
  virtual std::unique_ptr<Decoder> decoder(int64_t places, int64_t longest) const = 0;

 protected:
  using TextModel::TextModel;
};

// (rows + 1) int64, CPU: row r has the losses offsets[r] .. offsets[r + 1] - 1 of target_losses.
// The last is the number of targets, of which a loss is the mean.
at::Tensor target_offsets(const Batch& batch);

// The targets of a batch, each the token after the position that tells it. On the device of the
// batch's tokens.
Targets find_targets(const Batch& batch);

// `spec` of an architecture that is one; as make_model. Throws a user error for another kind.
std::unique_ptr<LanguageModel> make_language_model(const ModelSpec& spec);

}  // namespace kdbench
