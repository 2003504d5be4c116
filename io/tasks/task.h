// SPDX-License-Identifier: MIT
// A task: where a row's texts and label stand, which labels and metrics it has. GLUE's are one
// table (task.cpp), and adding one is one entry there; a user's own are made by own_task.h.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/base/range.h"

namespace kdbench {

enum class Metric { kAccuracy, kF1, kMatthews, kPearson, kSpearman };

// "accuracy", "f1", "matthews", "pearson", "spearman": the keys used in run.json and the tables.
const std::string& metric_name(Metric metric);
// All of them, and their names.
const std::vector<Metric>& all_metrics();
std::vector<std::string> all_metric_names();
// None when there is no metric of this name.
std::optional<Metric> find_metric(const std::string& name);

// The columns that are read, by the names in the header; an empty name: there is none.
struct Columns {
  std::string text_a, text_b, label;
};

// How one file of a task is laid out. Columns are 0-based; -1: there is none.
struct FileLayout {
  // The official header line (cells separated by tabs). Empty: the file has none, or, where `names`
  // says which columns are read, any that has them.
  std::string header;
  Columns names;
  int columns = 0;  // exact number of tab-separated cells in a row; 0: as many as in the header
  int text_a = -1;
  int text_b = -1;
  int label = -1;
  bool label_optional = false;  // of `names`: a file without that column is unlabelled
};

// The split that is trained on.
inline constexpr const char* kTrainSplit = "train";
// Rows without labels that are made for training: a transfer set.
inline constexpr const char* kTransferSplit = "transfer";

// One split of a task: "train", "dev", "dev_matched", "test", ...; the file is <split>.tsv.
struct SplitSpec {
  std::string name;
  FileLayout layout;
};

struct Task {
  std::string name;  // "MRPC": the folder below the data root, and the key in files
  std::vector<std::string>
      labels;  // label strings in the order used when a model names none; empty for regression
  // What GLUE's own data set calls them, where the files have numbers: in the order of `labels`.
  std::vector<std::string> label_words;
  std::vector<Metric> metrics;  // all that are reported, the selection metric's parts first
  std::vector<Metric>
      selection;  // checkpoint selection: mean of these (practices: STS-B averages two)
  std::vector<SplitSpec> splits;  // train first, then the dev splits, then the test splits
  bool skips_short_rows = false;  // QQP: rows with too few cells are counted, reported and left out
  std::string positive = "1";     // the label that F1 is about
  Range scores{.low = 0, .high = 5};  // of regression
  bool own = false;                   // a user's, not GLUE's

  bool regression() const { return labels.empty(); }
  // The diagnostic set has none.
  bool has_training_rows() const { return splits.front().name == kTrainSplit; }
  bool pair() const { return !splits.front().layout.names.text_b.empty(); }
  int classes() const { return regression() ? 1 : static_cast<int>(labels.size()); }
  // Whether a model that says it is one of `name` ("sst2", "mnli-mm", "MRPC") is one of this task.
  // MNLI's models are the diagnostic set's too.
  bool is_called(const std::string& name) const;
  // The label that a model means by `name`: the label itself or GLUE's word for it, in any case and
  // with '_', '-' or ' ' between words. Null when it is none of the task's.
  const std::string* label_of(const std::string& name) const;
  // Throws a user error naming the splits the task has.
  const SplitSpec& split(const std::string& name) const;
  std::vector<std::string> dev_splits() const;   // names that begin with "dev"
  std::vector<std::string> test_splits() const;  // "test", "test_matched", "diagnostic", ...
};

// CoLA SST-2 MRPC STS-B QQP MNLI QNLI RTE WNLI AX, in this order.
const std::vector<Task>& all_tasks();

// Tasks that a user has declared; what points to one of them lives no longer than the list.
using OwnTasks = std::vector<std::shared_ptr<const Task>>;

// GLUE's task of this name, or one of `own`. Throws a user error with the nearest known name.
const Task& find_task(const std::string& name, const OwnTasks& own = {});

}  // namespace kdbench
