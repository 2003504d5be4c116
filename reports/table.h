// SPDX-License-Identifier: MIT
// One table model; writers turn it into text, one file each. Cells keep numbers in full: what
// people read is rounded, what programs read is not.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace kdbench {

inline constexpr int kNatural = -1;  // digits: as many as the number needs, 8 at most

// How people see a column's numbers.
struct NumberFormat {
  int digits = kNatural;  // behind the point
  double scale = 1.0;     // numbers are divided by it: 1e6 for "params (M)"
  bool sign = false;      // "+0.012"
};

enum class Show {
  kAlways,
  kIfRoom,  // the console leaves it out when the line gets too long, rightmost first
  kData,    // only in files for programs
};

struct Column {
  // From a title alone: a column of texts.
  Column(const char* title) : title(title), name(title) {}                   // NOLINT
  Column(std::string title) : title(std::move(title)), name(this->title) {}  // NOLINT
  Column(std::string title, std::string name, NumberFormat format = {}, Show show = Show::kAlways)
      : title(std::move(title)), name(std::move(name)), format(format), show(show) {}

  std::string title;        // for people: "params (M)"
  std::string name;         // for programs, with the unit: "train_s"
  std::string spread_name;  // for programs, of the cells' spread; empty: they have none
  NumberFormat format;
  Show show = Show::kAlways;
};

// A text, a number, or a number with its spread; a text beside a number is how people see it.
// Without either nothing is known: "-".
struct Cell {
  Cell() = default;
  Cell(const char* text) : text(text) {}               // NOLINT
  Cell(std::string text) : text(std::move(text)) {}    // NOLINT
  Cell(double value) : value(value) {}                 // NOLINT
  Cell(std::optional<double> value) : value(value) {}  // NOLINT
  Cell(double value, std::optional<double> spread) : value(value), spread(spread) {}
  Cell(double value, std::string text) : text(std::move(text)), value(value) {}

  std::string text;
  std::optional<double> value, spread;
};

// A number of things, with all of its digits.
inline Cell integer_cell(int64_t count) {
  return {static_cast<double>(count), std::to_string(count)};
}

struct Table {
  std::string title;
  std::vector<Column> header;
  std::vector<std::vector<Cell>> rows;  // as wide as the header
  std::vector<std::string> notes;       // below the table
};

// A title as a CSV field's name: "accuracy dev_mismatched" -> "accuracy_dev_mismatched".
std::string field_name(std::string title);
// Columns in which no row has anything become Show::kData.
void hide_empty_columns(Table& table);

// What people see in a cell, one line: "0.803 (0.018)".
std::string shown(const Column& column, const Cell& cell);
// True when all of the column's cells are shown as numbers (or missing): they stand right.
bool numeric(const Table& table, size_t column);

// Aligned columns, lines of at most `width` characters where leaving out Show::kIfRoom allows it;
// a last line names what was left out.
std::string write_console(const Table& table, size_t width = 120);
// GitHub's tables.
std::string write_markdown(const Table& table);
// RFC 4180 with "\n": a line of names, then every row with numbers in full; missing values are
// empty fields. Neither title nor notes.
std::string write_csv(const Table& table);
// {"rows": [{name: value, ...}, ...], "notes": [...]}, numbers in full, null for missing values.
nlohmann::json write_json(const Table& table);

}  // namespace kdbench
