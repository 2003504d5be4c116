// SPDX-License-Identifier: MIT
// The file is read at once and cut into lines and cells without copies; a row's own strings are
// made last.
#include "io/tasks/glue.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <utility>

#include "io/base/error.h"
#include "io/base/look.h"
#include "io/base/sha256.h"
#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr size_t kListedProblems = 20;
// Of a task that skips short rows: so many are a damaged file, or another one.
constexpr int64_t kFewShortRows = 10;
constexpr double kShareOfFewShortRows = 0.01, kMostShortRows = 0.5;

bool is_score(std::string_view text, const Range& range) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(value) &&
         range.contains(value);
}

// Where `names` stand in a header, in a file whose columns may have any order.
FileLayout found_in(const std::vector<std::string_view>& header, const Columns& names,
                    const std::string& place) {
  Problems problems;
  const auto position = [&](const std::string& name) {
    if (name.empty()) return -1;
    const auto count = std::count(header.begin(), header.end(), name);
    if (count == 1) {
      return static_cast<int>(std::find(header.begin(), header.end(), name) - header.begin());
    }
    std::vector<std::string> there;
    for (const auto& cell : header) there.push_back(printable(cell));
    problems.add(place,
                 fmt::format("the header has {} column '{}'", count == 0 ? "no" : "more than one",
                             printable(name)),
                 "its columns, separated by tabs: " + joined(there, ", "));
    return -1;
  };
  FileLayout layout{.header = "", .names = names};
  layout.columns = static_cast<int>(header.size());
  layout.text_a = position(names.text_a);
  layout.text_b = position(names.text_b);
  layout.label = position(names.label);
  problems.throw_if_any(place);
  return layout;
}

// Reads the lines of one file and keeps what is wrong with them.
class Reader {
 public:
  Reader(const Task& task, const FileLayout& layout, GlueFile& file)
      : task_(task), layout_(layout), file_(file) {}

  void read(std::string_view text, int64_t limit) {
    begin(text);
    for (int64_t row_id = 0; !text.empty(); ++row_id) {
      if (limit > 0 && static_cast<int64_t>(file_.rows.size()) == limit) break;
      read_line(row_id, take_line(text));
    }
    finish();
    if (file_.rows.empty()) throw_user_error(file_.path.string(), "the file has no rows");
  }

  // Takes the header off the file's first text.
  void begin(std::string_view& text) {
    refuse_utf16(text);
    text = without_byte_order_mark(text);
    if (layout_.columns == 0) {
      find_columns(text);
    } else if (!layout_.header.empty()) {
      read_header(text);
    }
  }
  // A data line behind those that were read.
  void read_line(int64_t row_id, std::string_view line) {
    ++line_;
    read_row(row_id, line);
  }
  void skip_line() { ++line_; }
  // Throws what was wrong with the lines.
  void finish() const {
    throw_if_malformed();
    throw_if_mostly_short();
  }

 private:
  std::string place(int64_t line) const { return fmt::format("{}:{}", file_.path.string(), line); }

  void refuse_utf16(std::string_view text) const {
    if (!text.starts_with("\xFF\xFE") && !text.starts_with("\xFE\xFF")) return;
    throw_user_error(file_.path.string(), "is UTF-16, not UTF-8",
                     "convert it: iconv -f UTF-16 -t UTF-8");
  }

  void take_header(std::string_view& text) {
    if (text.empty()) throw_user_error(file_.path.string(), "the file is empty");
    ++line_;
    split_cells(take_line(text), cells_);
  }

  // Of a user's own task: the file's header says where its columns stand. Test rows may have no
  // labels.
  void find_columns(std::string_view& text) {
    take_header(text);
    Columns names = layout_.names;
    const bool labelled = std::find(cells_.begin(), cells_.end(), names.label) != cells_.end();
    if (layout_.label_optional && !labelled) names.label.clear();
    layout_ = found_in(cells_, names, place(line_));
  }

  // The texts must stand where they are expected. Other names do not matter: there are files whose
  // header names fewer columns than the rows have, and the cells of every row are counted anyway.
  void read_header(std::string_view& text) {
    take_header(text);
    std::vector<std::string_view> expected;
    split_cells(layout_.header, expected);
    for (const int column : {layout_.text_a, layout_.text_b}) {
      if (column < 0) continue;
      const auto i = static_cast<size_t>(column);
      if (i < cells_.size() && cells_[i] == expected[i]) continue;
      throw_user_error(place(line_),
                       fmt::format("the header is missing or another one: no '{}' in column {}",
                                   expected[i], i + 1),
                       "expected the official " + task_.name + " header: " + layout_.header);
    }
  }

  void read_row(int64_t row_id, std::string_view line) {
    split_cells(line, cells_);
    const auto columns = static_cast<size_t>(layout_.columns);
    if (cells_.size() < columns && task_.skips_short_rows) {
      if (file_.short_rows++ == 0) first_short_ = {line_, cells_.size()};
      return;
    }
    if (cells_.size() != columns) {
      return malformed(fmt::format("{} cells instead of {}", cells_.size(), columns));
    }
    if (!is_utf8(line)) return malformed("the line is not valid UTF-8");
    if (layout_.label >= 0 && !label_fits(cells_[static_cast<size_t>(layout_.label)])) return;
    ++taken_;
    file_.rows.push_back({row_id, cell(layout_.text_a), cell(layout_.text_b), cell(layout_.label)});
  }

  bool label_fits(std::string_view label) {
    if (task_.regression()) {
      if (is_score(label, task_.scores)) return true;
      malformed(
          fmt::format("the score '{}' is no number{}", printable(label), task_.scores.text()));
    } else {
      if (std::find(task_.labels.begin(), task_.labels.end(), label) != task_.labels.end()) {
        return true;
      }
      const bool header = line_ == 1 && layout_.header.empty();
      malformed(fmt::format("the label '{}' is none of {}{}", printable(label),
                            joined(task_.labels, ", "),
                            header ? " (this file has no header line)" : ""));
    }
    return false;
  }

  std::string cell(int column) const {
    return column < 0 ? std::string() : std::string(cells_[static_cast<size_t>(column)]);
  }

  void malformed(const std::string& what) {
    if (malformed_++ < kListedProblems) listed_.push_back(place(line_) + ": " + what);
  }

  void throw_if_malformed() const {
    if (malformed_ == 0) return;
    std::string what = fmt::format("{} malformed {}:\n  {}", malformed_,
                                   malformed_ == 1 ? "row" : "rows", joined(listed_, "\n  "));
    if (malformed_ > listed_.size()) {
      what += fmt::format("\n  ... and {} more", malformed_ - listed_.size());
    }
    throw_user_error(file_.path.string(), what);
  }

  void throw_if_mostly_short() const {
    const int64_t all = file_.short_rows + taken_;
    const double share = static_cast<double>(file_.short_rows) / static_cast<double>(all);
    const bool few = file_.short_rows <= kFewShortRows || share <= kShareOfFewShortRows;
    if (file_.short_rows == 0 || (few && share <= kMostShortRows)) return;
    std::vector<std::string_view> expected;
    split_cells(layout_.header, expected);
    std::vector<std::string> missing(expected.begin() + static_cast<int64_t>(first_short_.cells),
                                     expected.end());
    throw_user_error(
        place(first_short_.line),
        fmt::format("{} of {} rows have fewer than {} cells, too many to leave out; this one has "
                    "{}: no {}",
                    file_.short_rows, all, layout_.columns, first_short_.cells,
                    joined(missing, ", ")),
        "expected the columns " + layout_.header);
  }

  struct ShortRow {
    int64_t line = 0;
    size_t cells = 0;
  };

  const Task& task_;
  FileLayout layout_;
  GlueFile& file_;
  int64_t line_ = 0;   // of the file, from 1
  int64_t taken_ = 0;  // rows
  std::vector<std::string_view> cells_;
  size_t malformed_ = 0;
  std::vector<std::string> listed_;  // the first of them
  ShortRow first_short_;
};

// The lines of a file that is not read at once, without their ends.
class LineStream {
 public:
  explicit LineStream(const std::filesystem::path& path) : stream_(path, std::ios::binary) {
    if (!is_file(path)) throw_user_error(path.string(), "the file does not exist");
    if (!stream_) throw_user_error(path.string(), "the file cannot be read");
  }
  bool next(std::string_view& line) {
    if (!std::getline(stream_, line_)) return false;
    if (line_.ends_with('\r')) line_.pop_back();
    line = line_;
    return true;
  }

 private:
  std::ifstream stream_;
  std::string line_;
};

bool has_header(const FileLayout& layout) { return layout.columns == 0 || !layout.header.empty(); }

}  // namespace

std::filesystem::path glue_path(const std::filesystem::path& root, const Task& task,
                                const std::string& split) {
  const std::string file = task.split(split).name + ".tsv";
  if (split != "diagnostic") return root / task.name / file;
  // GLUE's download has the diagnostic set in a folder of its own name.
  const auto path = root / "AX" / file;
  return is_there(path) ? path : root / "diagnostic" / file;
}

GlueFile read_glue(const std::filesystem::path& root, const Task& task, const std::string& split,
                   int64_t limit) {
  const auto path = glue_path(root, task, split);
  if (!is_there(path)) {
    throw_user_error(path.string(), "the file does not exist",
                     fmt::format("{} '{}' is read from <data.root>/{}/{}", task.name, split,
                                 path.parent_path().filename().string(), path.filename().string()));
  }
  return read_rows(path, task, task.split(split).layout, limit);
}

int64_t count_rows(const std::filesystem::path& path, const FileLayout& layout) {
  LineStream lines(path);
  std::string_view line;
  int64_t rows = 0;
  while (lines.next(line)) ++rows;
  return std::max<int64_t>(0, rows - (has_header(layout) ? 1 : 0));
}

int64_t read_row_windows(const std::filesystem::path& path, const Task& task,
                         const FileLayout& layout, int64_t begin, int64_t end,
                         const std::function<void(std::vector<GlueRow> rows)>& take) {
  constexpr size_t kWindow = 8192;
  GlueFile file;
  file.path = path;
  Reader reader(task, layout, file);
  LineStream lines(path);
  std::string_view line;
  if (has_header(layout)) {
    if (!lines.next(line)) throw_user_error(path.string(), "the file is empty");
    reader.begin(line);
  }
  const auto hand_over = [&] { take(std::exchange(file.rows, {})); };
  for (int64_t row = 0; row < end && lines.next(line); ++row) {
    if (row < begin) {
      reader.skip_line();
      continue;
    }
    reader.read_line(row, line);
    if (file.rows.size() == kWindow) hand_over();
  }
  if (!file.rows.empty()) hand_over();
  reader.finish();
  return file.short_rows;
}

GlueFile read_rows(const std::filesystem::path& path, const Task& task, const FileLayout& layout,
                   int64_t limit) {
  GlueFile file;
  file.path = path;
  const std::string text = read_text_file(path);
  file.sha256 = sha256(text);
  Reader(task, layout, file).read(text, limit);
  return file;
}

}  // namespace kdbench
