// SPDX-License-Identifier: MIT
// One table model; writers turn it into text. Knows strings, not runs.
#pragma once

#include <string>
#include <vector>

namespace kdbench {

struct Table {
  std::string title;
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;  // as wide as the header
  std::vector<std::string> notes;              // below the table
};

std::string write_console(const Table& table);   // aligned columns
std::string write_markdown(const Table& table);  // GitHub tables

}  // namespace kdbench
