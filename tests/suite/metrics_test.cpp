// SPDX-License-Identifier: MIT
#include "suite/training/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tests/support/test_data.h"

namespace kdbench::metrics_test {
namespace {

void check_classification(const nlohmann::json& set) {
  const std::vector<int64_t> predictions = set["predictions"], labels = set["labels"];
  EXPECT_NEAR(accuracy(predictions, labels), set["accuracy"].get<double>(), 1e-9) << set["name"];
  EXPECT_NEAR(matthews(predictions, labels), set["matthews"].get<double>(), 1e-9) << set["name"];
  if (!set["f1"].is_null()) {
    EXPECT_NEAR(f1(predictions, labels), set["f1"].get<double>(), 1e-9) << set["name"];
  }
}

void check_regression(const nlohmann::json& set) {
  const std::vector<double> predictions = set["predictions"], labels = set["labels"];
  EXPECT_NEAR(pearson(predictions, labels), set["pearson"].get<double>(), 1e-9) << set["name"];
  EXPECT_NEAR(spearman(predictions, labels), set["spearman"].get<double>(), 1e-9) << set["name"];
}

TEST(Metrics, ReproduceTheReferenceSets) {
  std::ifstream file(testing::test_data("metrics.jsonl"));
  int sets = 0;
  for (std::string line; std::getline(file, line); ++sets) {
    const auto set = nlohmann::json::parse(line);
    set["kind"] == "classification" ? check_classification(set) : check_regression(set);
  }
  EXPECT_EQ(sets, 60);
}

// 4 rows: 1 true positive, 1 false positive, 1 false negative, 1 true negative.
TEST(Metrics, OfABalancedTable) {
  const std::vector<int64_t> predictions{1, 1, 0, 0}, labels{1, 0, 1, 0};
  EXPECT_DOUBLE_EQ(accuracy(predictions, labels), 0.5);
  EXPECT_DOUBLE_EQ(f1(predictions, labels), 0.5);
  EXPECT_DOUBLE_EQ(matthews(predictions, labels), 0.0);
}

TEST(Metrics, CorrelationsOfAMonotoneCurve) {
  EXPECT_DOUBLE_EQ(spearman({1, 2, 3, 4}, {1, 8, 27, 64}), 1.0);
  EXPECT_NEAR(pearson({1, 2, 3}, {1, 2, 4}), 3.0 / std::sqrt(2.0 * 14.0 / 3.0), 1e-15);
  EXPECT_NEAR(spearman({1, 1, 2}, {1, 2, 3}), std::sqrt(3.0) / 2.0, 1e-15);  // ranks 1.5 1.5 3
}

TEST(Metrics, ValuesWithoutOrderGiveNoCorrelation) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(pearson({1, nan}, {1, 2})));
  EXPECT_TRUE(std::isnan(spearman({1, nan}, {1, 2})));
}

TEST(Metrics, DifferentLengthsAreALogicError) {
  EXPECT_THROW(accuracy({1}, {1, 0}), std::logic_error);
  EXPECT_THROW(pearson({1}, {1, 0}), std::logic_error);
}

TEST(Predictions, ArgmaxIsTheFirstOfEquals) {
  Predictions predictions;
  predictions.row_ids = {0, 1, 2};
  predictions.classes = 3;
  predictions.logits = {0, 2, 2, 5, 1, 5, -3, -2, -1};
  EXPECT_EQ(predictions.argmax(), (std::vector<int64_t>{1, 0, 2}));
}

TEST(TaskMetrics, OfClassification) {
  Predictions predictions;
  predictions.row_ids = {0, 1, 2, 3};
  predictions.classes = 2;
  predictions.logits = {0, 1, 0, 1, 1, 0, 1, 0};  // 1 1 0 0
  Task task;
  task.labels = {"0", "1"};
  task.metrics = {Metric::kF1, Metric::kAccuracy};
  task.selection = {Metric::kF1};
  EXPECT_TRUE(task_metrics(task, predictions).empty());  // unlabelled
  predictions.labels = {1, 1, 1, 0};
  const auto metrics = task_metrics(task, predictions);
  EXPECT_EQ(metrics.size(), 2U);
  EXPECT_DOUBLE_EQ(metrics.at("accuracy"), 0.75);
  EXPECT_DOUBLE_EQ(metrics.at("f1"), 0.8);
  EXPECT_DOUBLE_EQ(selection_score(task, metrics), 0.8);
}

TEST(TaskMetrics, SelectionIsTheMeanOfItsParts) {
  Predictions predictions;
  predictions.row_ids = {0, 1, 2};
  predictions.classes = 1;
  predictions.logits = {1, 2, 4};
  predictions.labels = {1, 2, 3};
  Task task;
  task.metrics = task.selection = {Metric::kPearson, Metric::kSpearman};
  const auto metrics = task_metrics(task, predictions);
  EXPECT_DOUBLE_EQ(metrics.at("spearman"), 1.0);
  EXPECT_DOUBLE_EQ(selection_score(task, metrics), (metrics.at("pearson") + 1.0) / 2.0);
}

// A model may call the classes in another order: F1 is still about the label "1".
TEST(TaskMetrics, F1FollowsTheLabelOrder) {
  EXPECT_EQ(positive_class({"0", "1"}, "1"), 1);
  EXPECT_EQ(positive_class({"1", "0"}, "1"), 0);
  EXPECT_EQ(positive_class({"ham", "spam", "?"}, "?"), 2);
  EXPECT_EQ(positive_class({}, "1"), 1);
  Predictions predictions;
  predictions.row_ids = {0, 1, 2};
  predictions.classes = 2;
  predictions.logits = {1, 0, 1, 0, 0, 1};  // classes 0, 0, 1
  predictions.labels = {0, 1, 1};
  predictions.label_order = {"1", "0"};
  EXPECT_DOUBLE_EQ(task_metrics(find_task("MRPC"), predictions).at("f1"), 2.0 / 3.0);
  predictions.labels = {0, 0, 1};
  EXPECT_DOUBLE_EQ(task_metrics(find_task("MRPC"), predictions).at("f1"), 1.0);
}

}  // namespace
}  // namespace kdbench::metrics_test
