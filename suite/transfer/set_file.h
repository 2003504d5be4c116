// SPDX-License-Identifier: MIT
// A transfer set's file: the columns of the task's own unlabelled rows, so that `predict`, `export`
// and `prepare` read it as that task's test split.
#pragma once

#include <string>
#include <string_view>

#include "io/tasks/task.h"

namespace kdbench {

// That of the task's test rows; of a user's own task its text columns alone. Throws a user error
// for a task without training rows.
FileLayout set_layout(const Task& task);
// Of a file that names its columns.
FileLayout set_layout(const Columns& columns);

// Without an end of line.
std::string set_header(const FileLayout& layout);
// Adds row `index`; `text` is one, or "a TAB b" of pairs. Columns that nothing is known of are "_".
void add_set_row(const FileLayout& layout, int64_t index, std::string_view text,
                 std::string& lines);

}  // namespace kdbench
