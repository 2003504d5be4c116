// SPDX-License-Identifier: MIT
// The CSV writer (RFC 4180, lines end in "\n").
#include <fmt/format.h>

#include <cmath>

#include "reports/table.h"

namespace kdbench {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string field = "\"";
  for (const char c : text) field += c == '"' ? std::string("\"\"") : std::string(1, c);
  return field + "\"";
}

// The shortest text that reads back as the same number; empty for none.
std::string number(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? fmt::format("{}", *value) : "";
}

void add_field(std::string& line, const std::string& field, bool first = false) {
  if (!first) line += ',';
  line += quoted(field);
}

}  // namespace

std::string write_csv(const Table& table) {
  std::string text;
  for (size_t c = 0; c < table.header.size(); ++c) {
    add_field(text, table.header[c].name, c == 0);
    if (!table.header[c].spread_name.empty()) add_field(text, table.header[c].spread_name);
  }
  text += '\n';
  for (const auto& row : table.rows) {
    for (size_t c = 0; c < table.header.size(); ++c) {
      const Cell& cell = row.at(c);
      add_field(text, cell.value ? number(cell.value) : cell.text, c == 0);
      if (!table.header[c].spread_name.empty()) add_field(text, number(cell.spread));
    }
    text += '\n';
  }
  return text;
}

}  // namespace kdbench
