// SPDX-License-Identifier: MIT
#include "suite/training/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <stdexcept>

namespace kdbench {
namespace {

template <typename T>
void check_sizes(const std::vector<T>& a, const std::vector<T>& b) {
  if (a.size() != b.size())
    throw std::logic_error("metrics: as many predictions as labels are needed");
}

bool constant(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(),
                     [&](double value) { return value == values.front(); });
}

// Deviations from the mean, divided by the largest, so that their squares neither vanish nor
// overflow.
std::vector<double> centred(const std::vector<double>& values) {
  const double count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  std::vector<double> deviations;
  double largest = 0.0;
  for (const double value : values) {
    deviations.push_back(value - mean);
    largest = std::max(largest, std::abs(deviations.back()));
  }
  for (double& deviation : deviations) deviation /= largest;
  return deviations;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Ranks from 1; equal values share the average of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t i, size_t j) { return values[i] < values[j]; });
  std::vector<double> result(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i)
      result[order[i]] = static_cast<double>(begin + 1 + end) / 2.0;
  }
  return result;
}

bool has_nan(const std::vector<double>& values) {
  return std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

double metric_value(Metric metric, const Task& task, const Predictions& predictions) {
  const std::vector<double> scores(predictions.logits.begin(), predictions.logits.end());
  const std::vector<double> gold(predictions.labels.begin(), predictions.labels.end());
  const std::vector<int64_t> classes(predictions.labels.begin(), predictions.labels.end());
  switch (metric) {
    case Metric::kAccuracy:
      return accuracy(predictions.argmax(), classes);
    case Metric::kF1:
      return f1(predictions.argmax(), classes,
                positive_class(predictions.label_order, task.positive));
    case Metric::kMatthews:
      return matthews(predictions.argmax(), classes);
    case Metric::kPearson:
      return pearson(scores, gold);
    case Metric::kSpearman:
      return spearman(scores, gold);
  }
  throw std::logic_error("metrics: unknown metric");
}

}  // namespace

double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels) {
  check_sizes(predictions, labels);
  if (labels.empty()) return 0.0;
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += predictions[i] == labels[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

double f1(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels,
          int64_t positive) {
  check_sizes(predictions, labels);
  int64_t true_positive = 0, positives = 0;  // positives: of both sides together
  for (size_t i = 0; i < labels.size(); ++i) {
    true_positive += predictions[i] == positive && labels[i] == positive;
    positives += (predictions[i] == positive) + (labels[i] == positive);
  }
  if (true_positive == 0) return 0.0;
  return 2.0 * static_cast<double>(true_positive) / static_cast<double>(positives);
}

int64_t positive_class(const std::vector<std::string>& label_order, const std::string& positive) {
  const auto found = std::find(label_order.begin(), label_order.end(), positive);
  return found == label_order.end() ? 1 : found - label_order.begin();
}

double matthews(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels) {
  check_sizes(predictions, labels);
  std::map<int64_t, std::pair<double, double>> counts;  // class -> predicted, true
  double right = 0.0;
  for (size_t i = 0; i < labels.size(); ++i) {
    counts[predictions[i]].first += 1.0;
    counts[labels[i]].second += 1.0;
    right += predictions[i] == labels[i];
  }
  const double rows = static_cast<double>(labels.size());
  double both = 0.0, predicted = 0.0, gold = 0.0;
  for (const auto& [_, count] : counts) {
    both += count.first * count.second;
    predicted += count.first * count.first;
    gold += count.second * count.second;
  }
  const double spread = (rows * rows - predicted) * (rows * rows - gold);
  return spread > 0.0 ? (right * rows - both) / std::sqrt(spread) : 0.0;
}

double pearson(const std::vector<double>& a, const std::vector<double>& b) {
  check_sizes(a, b);
  if (a.size() < 2 || constant(a) || constant(b)) return 0.0;
  const std::vector<double> x = centred(a), y = centred(b);
  return dot(x, y) / (std::sqrt(dot(x, x)) * std::sqrt(dot(y, y)));
}

double spearman(const std::vector<double>& a, const std::vector<double>& b) {
  if (has_nan(a) || has_nan(b))
    return std::numeric_limits<double>::quiet_NaN();  // they have no order
  return pearson(ranks(a), ranks(b));
}

std::vector<int64_t> Predictions::argmax() const {
  std::vector<int64_t> result;
  for (int64_t row = 0; row < rows(); ++row) {
    const auto begin = logits.begin() + row * classes;
    result.push_back(std::max_element(begin, begin + classes) - begin);
  }
  return result;
}

std::map<std::string, double> task_metrics(const Task& task, const Predictions& predictions) {
  std::map<std::string, double> metrics;
  if (predictions.labels.empty()) return metrics;
  for (const Metric metric : task.metrics)
    metrics[metric_name(metric)] = metric_value(metric, task, predictions);
  return metrics;
}

bool below_chance(const Task& task, const Predictions& predictions) {
  if (task.regression() || predictions.labels.empty()) return false;
  const double chance = 1.0 / task.classes(), rows = static_cast<double>(predictions.rows());
  const double right = metric_value(Metric::kAccuracy, task, predictions);
  return right + 3.0 * std::sqrt(chance * (1.0 - chance) / rows) < chance;
}

double selection_score(const Task& task, const std::map<std::string, double>& metrics) {
  double sum = 0.0;
  for (const Metric metric : task.selection) sum += metrics.at(metric_name(metric));
  return sum / static_cast<double>(task.selection.size());
}

}  // namespace kdbench
