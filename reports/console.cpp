// SPDX-License-Identifier: MIT
// The terminal's writer.
#include <algorithm>

#include "reports/table.h"

namespace kdbench {
namespace {

// Characters on the screen: UTF-8 code points.
size_t width_of(const std::string& cell) {
  return static_cast<size_t>(std::count_if(cell.begin(), cell.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

constexpr size_t kGap = 2;

struct Layout {
  size_t column = 0, width = 0;
  bool right = false;  // numbers only
};

Layout layout_of(const Table& table, size_t column) {
  Layout layout{column, width_of(table.header[column].title), numeric(table, column)};
  for (const auto& row : table.rows) {
    layout.width = std::max(layout.width, width_of(shown(table.header[column], row.at(column))));
  }
  return layout;
}

size_t line_width(const std::vector<Layout>& layouts) {
  size_t width = 0;
  for (const auto& layout : layouts) width += layout.width + kGap;
  return width - std::min(width, kGap);
}

// Columns that fit; the titles of the others go to `left_out`.
std::vector<Layout> fitting_columns(const Table& table, size_t width,
                                    std::vector<std::string>& left_out) {
  std::vector<Layout> layouts;
  for (size_t c = 0; c < table.header.size(); ++c) {
    if (table.header[c].show != Show::kData) layouts.push_back(layout_of(table, c));
  }
  for (size_t i = layouts.size(); i-- > 0 && line_width(layouts) > width;) {
    if (table.header[layouts[i].column].show != Show::kIfRoom) continue;
    left_out.insert(left_out.begin(), table.header[layouts[i].column].title);
    layouts.erase(layouts.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return layouts;
}

std::string padded(const std::string& cell, const Layout& layout) {
  const std::string blanks(layout.width - std::min(layout.width, width_of(cell)), ' ');
  return layout.right ? blanks + cell : cell + blanks;
}

// `text_of` says what stands in a column.
template <typename TextOf>
std::string line(const std::vector<Layout>& layouts, const TextOf& text_of) {
  std::string text;
  for (const auto& layout : layouts) {
    if (!text.empty()) text += std::string(kGap, ' ');
    text += padded(text_of(layout), layout);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

}  // namespace

std::string write_console(const Table& table, size_t width) {
  std::vector<std::string> left_out;
  const auto layouts = fitting_columns(table, width, left_out);
  std::string text = table.title.empty() ? "" : table.title + "\n";
  text += line(layouts, [&](const Layout& layout) { return table.header[layout.column].title; });
  text += line(layouts, [](const Layout& layout) { return std::string(layout.width, '-'); });
  for (const auto& row : table.rows) {
    text += line(layouts, [&](const Layout& layout) {
      return shown(table.header[layout.column], row[layout.column]);
    });
  }
  for (const auto& note : table.notes) text += note + "\n";
  for (size_t i = 0; i < left_out.size(); ++i) {
    text += (i ? ", " : "Not shown for lack of room: ") + left_out[i];
  }
  return left_out.empty() ? text : text + ".\n";
}

}  // namespace kdbench
