// SPDX-License-Identifier: MIT
#include "suite/transfer/row_logits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr size_t kListed = 20;

// Of each of the task's labels, the column that has its logits.
std::vector<size_t> columns_of(const Task& task, const std::vector<std::string>& order,
                               const std::string& where) {
  if (task.regression()) return {0};
  std::vector<size_t> columns(task.labels.size(), order.size());
  for (size_t column = 0; column < order.size(); ++column) {
    const std::string* label = task.label_of(order[column]);
    const auto place = std::find(task.labels.begin(), task.labels.end(), label ? *label : "");
    if (place != task.labels.end()) columns[place - task.labels.begin()] = column;
  }
  if (order.size() != task.labels.size() ||
      std::find(columns.begin(), columns.end(), order.size()) != columns.end())
    throw_user_error(where, "has the labels " + quoted_list(order) + ", the task has " +
                                quoted_list(task.labels));
  return columns;
}

// Rows without logits, and logits that are no numbers, are errors.
class Filling {
 public:
  Filling(const GlueFile& rows, const Task& task, std::vector<size_t> columns)
      : rows_(rows), columns_(std::move(columns)), filled_(rows.rows.size()) {
    logits_.classes = task.classes();
    logits_.values.resize(rows.rows.size() * columns_.size());
    for (size_t i = 0; i < rows.rows.size(); ++i) place_[rows.rows[i].row_id] = i;
  }

  // `values` in the order of the source's columns.
  void add(int64_t row_id, const float* values, const std::string& where) {
    const auto found = place_.find(row_id);
    if (found == place_.end())
      return problem(where, fmt::format("{} has no row {}", rows_.path.string(), row_id));
    if (std::exchange(filled_[found->second], char{1}))
      return problem(where, fmt::format("row {} stands there twice", row_id));
    for (size_t k = 0; k < columns_.size(); ++k) {
      const float value = values[columns_[k]];
      if (!std::isfinite(value)) problem(where, fmt::format("row {}: no finite number", row_id));
      logits_.values[found->second * columns_.size() + k] = value;
    }
  }

  void problem(const std::string& where, const std::string& what) {
    if (problems_.lines().size() < kListed) problems_.add(where, what);
  }

  RowLogits done(const std::filesystem::path& source, std::string order_from) {
    const auto missing = std::count(filled_.begin(), filled_.end(), 0);
    if (missing > 0) {
      const auto first = std::find(filled_.begin(), filled_.end(), 0) - filled_.begin();
      problem(source.string(),
              fmt::format("{} of {} rows of {} have no logits, the first is row {}", missing,
                          filled_.size(), rows_.path.string(),
                          rows_.rows[static_cast<size_t>(first)].row_id));
    }
    problems_.throw_if_any(source.string());
    logits_.order_from = std::move(order_from);
    return std::move(logits_);
  }

 private:
  const GlueFile& rows_;
  const std::vector<size_t> columns_;
  RowLogits logits_;
  std::unordered_map<int64_t, size_t> place_;
  std::vector<char> filled_;
  Problems problems_;
};

template <typename T>
bool parse_number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// The labels that the file beside a table of logits says were predicted, by row; empty without it.
std::unordered_map<int64_t, std::string> predicted_beside(const std::filesystem::path& table) {
  constexpr std::string_view kEnd = "-logits.tsv";
  std::string name = table.string();
  std::unordered_map<int64_t, std::string> labels;
  if (!name.ends_with(kEnd)) return labels;
  name.replace(name.size() - kEnd.size(), kEnd.size(), ".tsv");
  if (!is_there(name)) return labels;
  const std::string text = read_text_file(name);
  std::vector<std::string_view> cells;
  for (std::string_view rest = text; !rest.empty();) {
    split_cells(take_line(rest), cells);
    int64_t row = 0;
    if (cells.size() == 2 && parse_number(cells[0], row)) labels[row] = cells[1];
  }
  return labels;
}

void check_order(const std::filesystem::path& table, const GlueFile& rows, const Task& task,
                 const RowLogits& logits,
                 const std::unordered_map<int64_t, std::string>& predicted) {
  for (size_t i = 0; i < rows.rows.size(); ++i) {
    const auto found = predicted.find(rows.rows[i].row_id);
    if (found == predicted.end()) continue;
    const float* row = logits.values.data() + i * static_cast<size_t>(logits.classes);
    const auto best = std::max_element(row, row + logits.classes) - row;
    if (task.labels[static_cast<size_t>(best)] == found->second) continue;
    throw_user_error(
        table.string(),
        fmt::format("row {} was predicted to be '{}', which is not the label of its "
                    "largest logit in the order {}",
                    rows.rows[i].row_id, printable(found->second), quoted_list(task.labels)),
        "--label-order names the model's own order");
  }
}

}  // namespace

RowLogits store_logits(const std::filesystem::path& store, const GlueFile& rows, const Task& task) {
  const TeacherStore outputs = read_teacher_store(
      store, {.cls = std::vector<int64_t>{}, .hidden = std::vector<int64_t>{}, .pooled = false});
  if (outputs.info.task != task.name)
    throw_user_error(store.string(), "holds a teacher's outputs on " +
                                         printable(outputs.info.task) + ", not on " + task.name);
  for (const auto& [name, split] : outputs.splits) {
    if (split->source_sha256 != rows.sha256) continue;
    const std::string where = store.string() + " (" + name + ")";
    if (split->classes != task.classes())
      throw_user_error(where, fmt::format("has {} outputs a row, the task has {}", split->classes,
                                          task.classes()));
    Filling filling(rows, task, columns_of(task, split->label_order, where));
    for (int64_t i = 0; i < split->rows(); ++i)
      filling.add(split->row_ids[i], split->logits.data() + i * split->classes, where);
    return filling.done(where, "the store's labels");
  }
  std::vector<std::string> names;
  for (const auto& [name, split] : outputs.splits) names.push_back(name);
  throw_user_error(store.string(),
                   "none of its splits (" + joined(names, ", ") + ") is of " + rows.path.string(),
                   "the store must be made from this very file: export --splits test, with the "
                   "file as the task's test.tsv");
}

RowLogits table_logits(const std::filesystem::path& table, const GlueFile& rows, const Task& task,
                       const std::vector<std::string>& label_order) {
  const auto& order = label_order.empty() ? task.labels : label_order;
  const auto columns = columns_of(task, order, "--label-order");
  Filling filling(rows, task, columns);
  const std::string text = read_text_file(table);
  std::vector<std::string_view> cells;
  std::vector<float> values(columns.size());
  int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string where = fmt::format("{}:{}", table.string(), ++number);
    split_cells(take_line(rest), cells);
    if (cells.size() != columns.size() + 1) {
      filling.problem(where, fmt::format("{} cells instead of index and {} logits", cells.size(),
                                         columns.size()));
    } else if (number > 1) {
      int64_t row = 0;
      bool numbers = parse_number(cells[0], row);
      for (size_t k = 0; k < columns.size(); ++k)
        numbers = parse_number(cells[k + 1], values[k]) && numbers;
      if (numbers) {
        filling.add(row, values.data(), where);
      } else {
        filling.problem(where, "expected numbers");
      }
    } else if (cells[0] != "index") {
      filling.problem(where, "the header is missing: index, logit0, ...");
    }
  }
  RowLogits logits = filling.done(table, "");
  const auto predicted =
      task.regression() ? std::unordered_map<int64_t, std::string>() : predicted_beside(table);
  check_order(table, rows, task, logits, predicted);
  logits.order_from = !label_order.empty() ? "--label-order"
                      : predicted.empty()  ? "taken to be the task's"
                                           : "as the predictions beside them";
  return logits;
}

}  // namespace kdbench
