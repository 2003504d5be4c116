// SPDX-License-Identifier: MIT
#include "io/words/tagger.h"

#include <utility>

#include "io/words/perceptron_features.h"

namespace kdbench {

int32_t best_class(const TaggerModel& model, const std::vector<std::string>& features) {
  std::vector<double> scores(model.classes.size(), 0.0);
  for (const auto& feature : features) {
    const auto found = model.weights.find(feature);
    if (found == model.weights.end()) continue;
    for (const auto& [tag, weight] : found->second) scores[static_cast<size_t>(tag)] += weight;
  }
  size_t best = 0;
  for (size_t i = 1; i < scores.size(); ++i) {
    if (scores[i] >= scores[best]) best = i;
  }
  return static_cast<int32_t>(best);
}

std::vector<std::string> tagged(const TaggerModel& model, const std::vector<std::string>& words) {
  const auto context = perceptron_context(words);
  std::vector<std::string> tags, features;
  std::string previous = kStart, before = kBeforeStart;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto certain = model.certain.find(words[i]);
    int32_t tag = 0;
    if (certain != model.certain.end()) {
      tag = certain->second;
    } else {
      perceptron_features(i, words[i], context, previous, before, features);
      tag = best_class(model, features);
    }
    tags.push_back(model.classes[static_cast<size_t>(tag)]);
    before = std::move(previous);
    previous = tags.back();
  }
  return tags;
}

}  // namespace kdbench
