// SPDX-License-Identifier: MIT
// The Markdown writer.
#include "reports/table.h"

namespace kdbench {
namespace {

std::string cell_text(const std::string& cell) {
  std::string text = " ";
  for (const char c : cell) {
    if (c == '|') text += '\\';
    text += c;
  }
  return text + " |";
}

}  // namespace

std::string write_markdown(const Table& table) {
  std::string titles = "|", rule = "|", rows;
  for (size_t c = 0; c < table.header.size(); ++c) {
    if (table.header[c].show == Show::kData) continue;
    titles += cell_text(table.header[c].title);
    rule += numeric(table, c) ? "---:|" : "---|";
  }
  for (const auto& row : table.rows) {
    rows += "|";
    for (size_t c = 0; c < table.header.size(); ++c) {
      if (table.header[c].show != Show::kData) rows += cell_text(shown(table.header[c], row.at(c)));
    }
    rows += "\n";
  }
  std::string text = table.title.empty() ? "" : "**" + table.title + "**\n\n";
  text += titles + "\n" + rule + "\n" + rows;
  for (const auto& note : table.notes) text += "\n" + note + "\n";
  return text;
}

}  // namespace kdbench
