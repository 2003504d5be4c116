// SPDX-License-Identifier: MIT
#include "reports/table.h"

#include <algorithm>

namespace kdbench {
namespace {

// Characters on the screen: UTF-8 code points.
size_t width_of(const std::string& cell) {
  return static_cast<size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

bool looks_numeric(const std::string& cell) {
  return !cell.empty() &&
         (cell == "-" || std::string("0123456789+-.").find(cell.front()) != std::string::npos);
}

struct Column {
  size_t width = 0;
  bool right = true;  // numbers only
};

std::vector<Column> layout(const Table& table) {
  std::vector<Column> columns(table.header.size());
  for (size_t c = 0; c < columns.size(); ++c) {
    columns[c].width = width_of(table.header[c]);
    columns[c].right = !table.rows.empty();
    for (const auto& row : table.rows) {
      columns[c].width = std::max(columns[c].width, width_of(row.at(c)));
      columns[c].right = columns[c].right && looks_numeric(row[c]);
    }
  }
  return columns;
}

std::string padded(const std::string& cell, const Column& column) {
  const std::string blanks(column.width - std::min(column.width, width_of(cell)), ' ');
  return column.right ? blanks + cell : cell + blanks;
}

std::string console_line(const std::vector<std::string>& cells,
                         const std::vector<Column>& columns) {
  std::string line;
  for (size_t c = 0; c < cells.size(); ++c) {
    if (c) line += "  ";
    line += padded(cells[c], columns[c]);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string markdown_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& cell : cells) {
    line += " ";
    for (const char c : cell) line += c == '|' ? std::string("\\|") : std::string(1, c);
    line += " |";
  }
  return line + "\n";
}

}  // namespace

std::string write_console(const Table& table) {
  const auto columns = layout(table);
  std::string text = table.title.empty() ? "" : table.title + "\n";
  text += console_line(table.header, columns);
  std::vector<std::string> rule;
  for (const auto& column : columns) rule.emplace_back(column.width, '-');
  text += console_line(rule, columns);
  for (const auto& row : table.rows) text += console_line(row, columns);
  for (const auto& note : table.notes) text += note + "\n";
  return text;
}

std::string write_markdown(const Table& table) {
  std::string text = table.title.empty() ? "" : "**" + table.title + "**\n\n";
  text += markdown_line(table.header) + "|";
  for (const auto& column : layout(table)) text += column.right ? "---:|" : "---|";
  text += "\n";
  for (const auto& row : table.rows) text += markdown_line(row);
  for (const auto& note : table.notes) text += "\n" + note + "\n";
  return text;
}

}  // namespace kdbench
