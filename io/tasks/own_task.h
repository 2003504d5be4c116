// SPDX-License-Identifier: MIT
// A task of the user's own: rows of texts with labels of any number, or with scores, in
// tab-separated files <root>/<name>/{train,dev,test}.tsv whose header names the columns.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/tasks/task.h"

namespace kdbench {

struct OwnTask {
  std::string name;
  Columns columns;                  // text_b empty: single texts
  std::vector<std::string> labels;  // as in the files; empty: the labels are scores
  std::string positive;             // the label that F1 is about; empty: there is no F1
  std::vector<Metric> metrics;      // the first selects checkpoints
};

// Test files need no labels; where they have some, they are scored too.
Task make_task(const OwnTask& own);

// What a user has declared, for records and keys; null for GLUE's tasks.
nlohmann::json declaration(const Task& task);
// The task of a declaration. Throws a user error at `where` when there is something wrong with it.
std::shared_ptr<const Task> declared_task(const nlohmann::json& declaration,
                                          const std::string& where);

}  // namespace kdbench
