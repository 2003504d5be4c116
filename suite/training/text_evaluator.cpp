// SPDX-License-Identifier: MIT
#include "suite/training/text_evaluator.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <stdexcept>

#include "methods/models/text_model.h"
#include "suite/training/evaluation.h"
#include "suite/training/finite.h"

namespace kdbench {
namespace {

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

// Of the targets of all rows: each row's last ones.
int64_t target_characters(const Dataset& data, const Tokenizer& tokenizer) {
  const TextMarks marks = tokenizer.text_marks();
  int64_t sum = 0;
  for (int64_t row = 0; row < data.rows(); ++row) {
    auto ids = data.tokens(row).last(static_cast<size_t>(data.targets(row)));
    if (!ids.empty() && ids.back() == marks.end) {
      ids = ids.first(ids.size() - 1);
      ++sum;
    }
    const std::string text = tokenizer.text_of(ids);
    sum += std::count_if(text.begin(), text.end(), begins_character);
  }
  return sum;
}

int64_t count_targets(const Dataset& data) {
  int64_t targets = 0;
  for (int64_t row = 0; row < data.rows(); ++row) targets += data.targets(row);
  return targets;
}

}  // namespace

std::map<std::string, double> TextEvaluator::scores(Model& model, const Dataset& data,
                                                    const Control& control,
                                                    const std::string& where,
                                                    const RowsSeen& seen) const {
  auto* text_model = dynamic_cast<TextModel*>(&model);
  if (!text_model) throw std::logic_error("text_evaluator: the model is no language model");
  const int64_t targets = count_targets(data);
  if (targets == 0) return {};
  double sum = 0.0;
  visit_share(data, control, model.parameters().device(), [&](const Batch& batch) {
    const Batch asked = masking_ ? (*masking_)(batch, RandomKey()) : batch;
    sum += text_model->target_losses(asked, {}).sum(at::kDouble).item<double>();
    if (seen) seen(batch.rows());
  });
  sum = control.sum(sum);
  control.agree([&] {
    if (!std::isfinite(sum)) throw not_finite(where, "the loss is");
  });
  const double loss = sum / static_cast<double>(targets);
  std::map<std::string, double> scores{{"loss", loss}, {"perplexity", std::exp(loss)}};
  if (tokenizer_) {
    const auto characters = static_cast<double>(target_characters(data, *tokenizer_));
    scores["bits_per_character"] = sum / std::numbers::ln2 / characters;
  }
  return scores;
}

double TextEvaluator::selection_score(const std::map<std::string, double>& scores) const {
  const auto loss = scores.find("loss");
  return loss == scores.end() ? -INFINITY : -loss->second;
}

}  // namespace kdbench
