// SPDX-License-Identifier: MIT
// How well a language model says texts that it has not learned from.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "io/tokenizers/tokenizer.h"
#include "methods/masking.h"
#include "suite/training/evaluator.h"

namespace kdbench {

// In evaluation mode: "loss", the mean of -log p over all targets, and "perplexity", e to it. The
// model with the least loss is the best.
class TextEvaluator : public Evaluator {
 public:
  // Of a LanguageModel on a make_text_dataset. Also "bits_per_character", all of -log2 p over the
  // characters that the targets stand for, where the end of a text is one.
  explicit TextEvaluator(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}
  // Of a MaskedModel on a make_masked_dataset: of ids that are hidden, each time the same.
  explicit TextEvaluator(Masking masking) : masking_(std::move(masking)) {}

  std::map<std::string, double> scores(Model& model, const Dataset& data, const Control& control,
                                       const std::string& where,
                                       const RowsSeen& seen) const override;
  double selection_score(const std::map<std::string, double>& scores) const override;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  std::optional<Masking> masking_;
};

}  // namespace kdbench
