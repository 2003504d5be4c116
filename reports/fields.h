// SPDX-License-Identifier: MIT
// Tables from lists of things: a field is a column and what stands in it for one thing.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "reports/table.h"

namespace kdbench {

template <typename Thing>
struct Field {
  Column column;
  std::function<Cell(const Thing&)> cell;
};

// One row for each of `things` (any range of Thing), in their order.
template <typename Thing, typename Range>
Table table_of(const std::vector<Field<Thing>>& fields, Range&& things) {
  Table table;
  for (const auto& field : fields) table.header.push_back(field.column);
  for (const Thing& thing : things) {
    auto& row = table.rows.emplace_back();
    for (const auto& field : fields) row.push_back(field.cell(thing));
  }
  return table;
}

}  // namespace kdbench
