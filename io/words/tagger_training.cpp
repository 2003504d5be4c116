// SPDX-License-Identifier: MIT
// While it learns, a weight's sum over all words seen is brought up to date only where the weight
// changes.
#include "io/words/tagger_training.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "io/synthetic/draws.h"
#include "io/words/perceptron_features.h"

namespace kdbench {
namespace {

constexpr int64_t kFrequent = 20;
constexpr double kUnambiguous = 0.97;
constexpr double kKeptDigits = 1000;

class Perceptron {
 public:
  explicit Perceptron(const std::vector<TaggedSentence>& sentences) {
    std::map<std::string, std::map<std::string, int64_t>> counts;
    for (const auto& sentence : sentences) {
      for (size_t i = 0; i < sentence.words.size(); ++i)
        ++counts[sentence.words[i]][sentence.tags[i]];
    }
    for (const auto& [word, by_tag] : counts) {
      for (const auto& [tag, count] : by_tag) model_.classes.push_back(tag);
    }
    auto& classes = model_.classes;
    std::sort(classes.begin(), classes.end());
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
    for (const auto& [word, by_tag] : counts) add_certain(word, by_tag);
  }

  void learn(const TaggedSentence& sentence) {
    const auto context = perceptron_context(sentence.words);
    std::string previous = kStart, before = kBeforeStart;
    for (size_t i = 0; i < sentence.words.size(); ++i) {
      const auto certain = model_.certain.find(sentence.words[i]);
      int32_t tag = 0;
      if (certain != model_.certain.end()) {
        tag = certain->second;
      } else {
        perceptron_features(i, sentence.words[i], context, previous, before, features_);
        tag = best_class(model_, features_);
        correct(number(sentence.tags[i]), tag);
      }
      before = std::move(previous);
      previous = model_.classes[static_cast<size_t>(tag)];
    }
  }

  TaggerModel averaged() {
    for (auto& [feature, weights] : model_.weights) {
      std::vector<Sum>& sums = sums_[feature];
      TaggerModel::Weights means;
      for (auto& [tag, weight] : weights) {
        Sum& sum = sum_of(sums, tag);
        bring_up_to_date(sum, weight);
        const double mean = sum.total / static_cast<double>(seen_);
        const double kept = std::round(mean * kKeptDigits) / kKeptDigits;
        if (kept != 0) means.emplace_back(tag, kept);
      }
      weights = std::move(means);
    }
    std::erase_if(model_.weights, [](const auto& item) { return item.second.empty(); });
    return std::move(model_);
  }

 private:
  // Of one weight over the words seen until `since`.
  struct Sum {
    int32_t tag = 0;
    double total = 0;
    int64_t since = 0;
  };

  void add_certain(const std::string& word, const std::map<std::string, int64_t>& by_tag) {
    int64_t all = 0;
    for (const auto& [tag, count] : by_tag) all += count;
    const auto most = std::max_element(by_tag.begin(), by_tag.end(),
                                       [](auto& a, auto& b) { return a.second < b.second; });
    const bool clear = static_cast<double>(most->second) >= kUnambiguous * static_cast<double>(all);
    if (all >= kFrequent && clear) model_.certain[word] = number(most->first);
  }

  int32_t number(const std::string& tag) const {
    const auto& classes = model_.classes;
    return static_cast<int32_t>(std::lower_bound(classes.begin(), classes.end(), tag) -
                                classes.begin());
  }

  static Sum& sum_of(std::vector<Sum>& sums, int32_t tag) {
    for (auto& sum : sums) {
      if (sum.tag == tag) return sum;
    }
    return sums.emplace_back(Sum{.tag = tag});
  }

  void bring_up_to_date(Sum& sum, double weight) const {
    sum.total += static_cast<double>(seen_ - sum.since) * weight;
    sum.since = seen_;
  }

  void correct(int32_t truth, int32_t guess) {
    ++seen_;
    if (truth == guess) return;
    for (const auto& feature : features_) {
      change(feature, truth, 1.0);
      change(feature, guess, -1.0);
    }
  }

  void change(const std::string& feature, int32_t tag, double by) {
    auto& weights = model_.weights[feature];
    auto found = std::find_if(weights.begin(), weights.end(),
                              [&](const auto& weight) { return weight.first == tag; });
    if (found == weights.end()) found = weights.insert(found, {tag, 0.0});
    bring_up_to_date(sum_of(sums_[feature], tag), found->second);
    found->second += by;
  }

  TaggerModel model_;
  TextMap<std::vector<Sum>> sums_;
  int64_t seen_ = 0;  // words that the weights have decided
  std::vector<std::string> features_;
};

}  // namespace

TaggerModel train_tagger(std::vector<TaggedSentence> sentences, const TaggerTraining& training) {
  Perceptron perceptron(sentences);
  Draws draws(training.seed);
  for (int epoch = 0; epoch < training.epochs; ++epoch) {
    for (const auto& sentence : sentences) perceptron.learn(sentence);
    draws.shuffle(sentences);
  }
  return perceptron.averaged();
}

double tagging_accuracy(const TaggerModel& model, const std::vector<TaggedSentence>& sentences) {
  int64_t right = 0, all = 0;
  for (const auto& sentence : sentences) {
    const auto tags = tagged(model, sentence.words);
    all += static_cast<int64_t>(tags.size());
    for (size_t i = 0; i < tags.size(); ++i) right += tags[i] == sentence.tags[i];
  }
  return all == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(all);
}

}  // namespace kdbench
