// SPDX-License-Identifier: MIT
#include "reports/table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace kdbench {
namespace {

std::string number_text(const NumberFormat& format, double value, bool sign) {
  double scaled = value / format.scale;
  if (!std::isfinite(scaled)) return "-";
  // No "-0.000".
  if (format.digits >= 0 && std::abs(scaled) < 0.5 * std::pow(10.0, -format.digits)) scaled = 0.0;
  if (format.digits == kNatural) return fmt::format("{:.8g}", scaled);
  return sign ? fmt::format("{:+.{}f}", scaled, format.digits)
              : fmt::format("{:.{}f}", scaled, format.digits);
}

std::string one_line(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  return text;
}

bool looks_numeric(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789+-.,%() ") == std::string::npos;
}

}  // namespace

std::string field_name(std::string title) {
  std::replace(title.begin(), title.end(), ' ', '_');
  return title;
}

void hide_empty_columns(Table& table) {
  if (table.rows.empty()) return;
  for (size_t c = 0; c < table.header.size(); ++c) {
    const bool empty = std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
      return row.at(c).text.empty() && !row[c].value;
    });
    if (empty) table.header[c].show = Show::kData;
  }
}

std::string shown(const Column& column, const Cell& cell) {
  if (!cell.text.empty()) return one_line(cell.text);
  if (!cell.value) return "-";
  const std::string value = number_text(column.format, *cell.value, column.format.sign);
  if (!cell.spread) return value;
  return fmt::format("{} ({})", value, number_text(column.format, *cell.spread, false));
}

bool numeric(const Table& table, size_t column) {
  return !table.rows.empty() && std::all_of(table.rows.begin(), table.rows.end(), [&](auto& row) {
    const Cell& cell = row.at(column);
    return cell.value || looks_numeric(shown(table.header[column], cell));
  });
}

}  // namespace kdbench
