// SPDX-License-Identifier: MIT
// Rows with a teacher's logits, one schema for all tasks: the task's text columns, its label
// column, logits_0, logits_1, ... in the order of the task's labels.
#pragma once

#include <filesystem>
#include <string>

#include "io/tasks/glue.h"
#include "suite/transfer/row_logits.h"

namespace kdbench {

// The first line, without its end.
std::string joined_header(const Task& task);

// Writes <path>.partial and renames it. The label is the one of the largest logit (of equals the
// first); of scores the logit within the task's range. Numbers are the shortest that give the same
// float32 again; nothing is quoted. The folder must be there. Throws machine errors. Local.
void write_joined_set(const GlueFile& rows, const RowLogits& logits, const Task& task,
                      const std::filesystem::path& path);

}  // namespace kdbench
