// SPDX-License-Identifier: MIT
// Which rows of text a verb takes: a task's training rows, or those of any file; and the columns of
// a set made from them.
#pragma once

#include <string>
#include <vector>

#include "io/tasks/glue.h"
#include "io/tasks/task.h"
#include "suite/verbs/own_tasks.h"

namespace kdbench {

struct TextSourceOptions {
  std::string data, task, file;
  std::vector<std::string> columns;
  int64_t train_limit = 0;
  OwnTaskOptions own;
};

// --data, --task, --file, --columns, --train-limit, --declared-in.
void add_text_source_options(CLI::App& app, TextSourceOptions& options);

// The rows that are read, and the layout of those that are written.
struct TextSource {
  Task task;  // of --columns: one that has nothing but them
  FileLayout in, out;

  bool pair() const { return !in.names.text_b.empty() || in.text_b >= 0; }
};

// What the options mean; then the rows. read_own_tasks comes first. Local; both throw user errors.
TextSource text_source_of(const TextSourceOptions& options);
GlueFile read_source(const TextSourceOptions& options, const TextSource& source);

}  // namespace kdbench
