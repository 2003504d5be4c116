// SPDX-License-Identifier: MIT
// How well a language model says texts that it has not learned from.
#pragma once

#include <memory>
#include <utility>

#include "io/tokenizers/tokenizer.h"
#include "suite/training/evaluator.h"

namespace kdbench {

// Of a make_text_dataset, in evaluation mode: "loss", the mean of -log p over all targets;
// "perplexity", e to it; "bits_per_character", all of -log2 p over the characters that the targets
// stand for, where the end of a text is one. The model with the least loss is the best.
class TextEvaluator : public Evaluator {
 public:
  explicit TextEvaluator(std::shared_ptr<const Tokenizer> tokenizer)
      : tokenizer_(std::move(tokenizer)) {}
  std::map<std::string, double> scores(Model& model, const Dataset& data, const Control& control,
                                       const std::string& where,
                                       const RowsSeen& seen) const override;
  double selection_score(const std::map<std::string, double>& scores) const override;

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
};

}  // namespace kdbench
