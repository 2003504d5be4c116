// SPDX-License-Identifier: MIT
// Reads one GLUE file exactly as it is: tab-separated, no quoting, LF or CRLF, an optional UTF-8
// BOM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/tasks/task.h"

namespace kdbench {

struct GlueRow {
  int64_t row_id =
      0;  // 0-based number of the data line in the source file (the header is not counted)
  std::string text_a;
  std::string text_b;  // empty for single-sentence tasks
  std::string label;   // as in the file; empty where the split has no labels
};

struct GlueFile {
  std::filesystem::path path;
  std::string sha256;
  std::vector<GlueRow> rows;
  int64_t short_rows = 0;  // left out because cells are missing (only tasks with skips_short_rows)
};

// Path of a split's file: <root>/<task>/<split>.tsv (the diagnostic set, of AX and MNLI:
// <root>/AX/diagnostic.tsv where it is there, else <root>/diagnostic/diagnostic.tsv).
std::filesystem::path glue_path(const std::filesystem::path& root, const Task& task,
                                const std::string& split);

// Reads a split; `limit` > 0 takes the first rows only. Every malformed row (wrong number of cells,
// unknown label, score that is no number in 0..5, invalid UTF-8) is found before a user error lists
// them by file:line.
GlueFile read_glue(const std::filesystem::path& root, const Task& task, const std::string& split,
                   int64_t limit = 0);

// The same of a file at any place, in one of the task's layouts.
GlueFile read_rows(const std::filesystem::path& path, const Task& task, const FileLayout& layout,
                   int64_t limit = 0);

}  // namespace kdbench
