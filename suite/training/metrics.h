// SPDX-License-Identifier: MIT
// GLUE metrics in double precision (definitions: Wang et al. 2019, GLUE; scikit-learn and scipy
// conventions).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "io/tasks/task.h"

namespace kdbench {

double accuracy(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels);
// 0 when there is no true positive.
double f1(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels,
          int64_t positive = 1);
// The number of `positive` (GLUE: "1"), wherever a model's label order has it; 1 when it has not.
int64_t positive_class(const std::vector<std::string>& label_order, const std::string& positive);
// Multi-class form; 0 when predictions or labels are all one class.
double matthews(const std::vector<int64_t>& predictions, const std::vector<int64_t>& labels);
// 0 when a side is constant or there are fewer than 2 values.
double pearson(const std::vector<double>& a, const std::vector<double>& b);
// Ties share the average rank.
double spearman(const std::vector<double>& a, const std::vector<double>& b);

// Predictions of one split, ascending row id.
struct Predictions {
  std::vector<int64_t> row_ids;
  int64_t classes = 0;                   // columns of logits
  std::vector<float> logits;             // (rows, classes)
  std::vector<float> labels;             // class numbers or scores; empty when unlabelled
  std::vector<std::string> label_order;  // of the classes

  int64_t rows() const { return static_cast<int64_t>(row_ids.size()); }
  std::vector<int64_t> argmax() const;  // first of equals
};

// All of the task's metrics by name; empty when unlabelled.
std::map<std::string, double> task_metrics(const Task& task, const Predictions& predictions);
// Whether so few classes are right that chance would hardly do it (three standard deviations).
bool below_chance(const Task& task, const Predictions& predictions);
// Mean of the task's selection metrics.
double selection_score(const Task& task, const std::map<std::string, double>& metrics);

}  // namespace kdbench
