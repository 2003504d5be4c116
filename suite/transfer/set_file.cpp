// SPDX-License-Identifier: MIT
#include "suite/transfer/set_file.h"

#include "io/base/error.h"

namespace kdbench {

FileLayout set_layout(const Task& task) {
  if (!task.has_training_rows()) throw_user_error("--task " + task.name, "has no training rows");
  const FileLayout& layout = task.split(task.test_splits().front()).layout;
  return layout.columns == 0 ? set_layout(layout.names) : layout;
}

FileLayout set_layout(const Columns& columns) {
  const bool pair = !columns.text_b.empty();
  return {.header = pair ? columns.text_a + "\t" + columns.text_b : columns.text_a,
          .names = {columns.text_a, columns.text_b, ""},
          .columns = pair ? 2 : 1,
          .text_a = 0,
          .text_b = pair ? 1 : -1};
}

std::string set_header(const FileLayout& layout) { return layout.header; }

void add_set_row(const FileLayout& layout, int64_t index, std::string_view text,
                 std::string& lines) {
  const size_t tab = text.find('\t');
  for (int column = 0; column < layout.columns; ++column) {
    if (column > 0) lines += '\t';
    if (column == layout.text_a) {
      lines += text.substr(0, tab);
    } else if (column == layout.text_b) {
      lines += text.substr(tab + 1);
    } else {
      lines += column == 0 ? std::to_string(index) : "_";
    }
  }
  lines += '\n';
}

}  // namespace kdbench
