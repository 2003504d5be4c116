// SPDX-License-Identifier: MIT
#include "suite/verbs/keys_text.h"

#include <fmt/format.h>

#include <sstream>

#include "io/base/error.h"
#include "reports/table.h"
#include "suite/config/experiment_keys.h"
#include "suite/config/option_reader.h"

namespace kdbench {
namespace {

constexpr size_t kWidth = 100, kIndent = 18;

// `text` in lines of at most kWidth, all of them behind kIndent columns, the first of which hold
// `head`.
std::string paragraph(const std::string& head, const std::string& text) {
  std::string lines = fmt::format("{:<{}}", head, kIndent);
  if (head.size() >= kIndent) lines += "\n" + std::string(kIndent, ' ');
  size_t column = kIndent;
  std::istringstream words(text);
  for (std::string word; words >> word; column += word.size() + 1) {
    if (column > kIndent && column + word.size() > kWidth) {
      lines.back() = '\n';
      lines += std::string(kIndent, ' ');
      column = kIndent;
    }
    lines += word + " ";
  }
  lines.back() = '\n';
  return lines;
}

}  // namespace

std::string keys_text(const std::vector<OptionSpec>& specs) {
  std::string text;
  for (const auto& spec : specs) {
    const std::string source = spec.source.empty() ? "" : " (" + spec.source + ")";
    text += paragraph("  " + spec.name,
                      expectation(spec) + "; default: " + default_text(spec) + source);
    text += paragraph("", spec.meaning);
  }
  return text;
}

nlohmann::json keys_json(const std::vector<OptionSpec>& specs) {
  Table table;
  table.header = {"key", "takes", "default", "meaning", {"default from", "default_from"}};
  for (const auto& spec : specs) {
    table.rows.push_back(
        {spec.name, expectation(spec), default_text(spec), spec.meaning, spec.source});
  }
  return write_json(table).at("rows");
}

std::string table_text(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& table : experiment_tables()) {
    known.push_back(table.name);
    if (table.name != name) continue;
    const std::string meaning = table.meaning.empty() ? "" : ": " + table.meaning;
    return table.heading + meaning + "\n" + keys_text(table.keys);
  }
  throw_unknown("table", name, known);
}

}  // namespace kdbench
