// SPDX-License-Identifier: MIT
// The JSON writer.
#include <cmath>

#include "reports/table.h"

namespace kdbench {
namespace {

constexpr double kLargestWhole = 9007199254740992.0;  // 2^53

// A count is written as one.
nlohmann::json number_json(const Column& column, double value) {
  const bool whole = column.format.digits == kNatural && std::trunc(value) == value &&
                     std::abs(value) <= kLargestWhole;
  if (whole) return static_cast<int64_t>(value);
  return value;  // NaN and infinities become null
}

nlohmann::json cell_json(const Column& column, const Cell& cell) {
  if (cell.value) return number_json(column, *cell.value);
  return cell.text.empty() ? nlohmann::json() : nlohmann::json(cell.text);
}

}  // namespace

nlohmann::json write_json(const Table& table) {
  nlohmann::json rows = nlohmann::json::array();
  for (const auto& row : table.rows) {
    nlohmann::json object = nlohmann::json::object();
    for (size_t c = 0; c < table.header.size(); ++c) {
      const Column& column = table.header[c];
      object[column.name] = cell_json(column, row.at(c));
      if (column.spread_name.empty()) continue;
      object[column.spread_name] = row[c].spread ? nlohmann::json(*row[c].spread) : nullptr;
    }
    rows.push_back(std::move(object));
  }
  return {{"rows", std::move(rows)}, {"notes", table.notes}};
}

}  // namespace kdbench
