// SPDX-License-Identifier: MIT
// Reads one GLUE file exactly as it is: tab-separated, no quoting, LF or CRLF, an optional UTF-8
// BOM.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
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

// How many data rows a file of this layout has: its lines but for the header. Throws a user error
// when it cannot be read.
int64_t count_rows(const std::filesystem::path& path, const FileLayout& layout);

// Data rows begin .. end - 1 of a file in one of the task's layouts, some thousand at a time:
// `take` may keep them. Only those are looked at, and only a window of them is in memory. Errors
// are those of read_rows, thrown behind the last window; a file without rows is none here. Returns
// how many of those rows are left out as cells are missing.
int64_t read_row_windows(const std::filesystem::path& path, const Task& task,
                         const FileLayout& layout, int64_t begin, int64_t end,
                         const std::function<void(std::vector<GlueRow> rows)>& take);

}  // namespace kdbench
