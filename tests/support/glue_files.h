// SPDX-License-Identifier: MIT
// Made-up rows in a GLUE task's own file layout.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "io/tasks/task.h"

namespace kdbench::testing {

// Row `row` of a split: some of six words for each side. Its label is the task's (a + b) mod
// classes, a and b the numbers of its sides' first words: it can be learned.
inline std::string glue_cell(const Task& task, const FileLayout& layout, int row, int column) {
  static const std::array<std::string, 6> words{"cat", "dogs", "sun", "rainy", "the", "Green"};
  const auto text = [&](int start) {
    std::string cell = words[static_cast<size_t>(start % 6)];
    for (int i = 0; i < row % 4; ++i) cell += " " + words[static_cast<size_t>((row + i * i) % 6)];
    return cell;
  };
  const int a = row * 5, b = row / 3;
  if (column == layout.text_a) return text(a);
  if (column == layout.text_b) return text(b);
  if (column == layout.label)
    return task.labels[static_cast<size_t>((a % 6 + b % 6) % task.classes())];
  return column == 0 ? std::to_string(row) : "_";
}

inline void write_glue(const std::filesystem::path& root, const Task& task,
                       const std::string& split, int rows) {
  const FileLayout& layout = task.split(split).layout;
  std::filesystem::create_directories(root / task.name);
  std::ofstream file(root / task.name / (split + ".tsv"));
  if (!layout.header.empty()) file << layout.header << "\n";
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < layout.columns; ++column) {
      file << (column ? "\t" : "") << glue_cell(task, layout, row, column);
    }
    file << "\n";
  }
}

}  // namespace kdbench::testing
