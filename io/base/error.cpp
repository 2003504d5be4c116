// SPDX-License-Identifier: MIT
#include "io/base/error.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "io/base/text.h"

namespace kdbench {
namespace {

constexpr size_t kListedProblems = 50;  // of a file that is altogether something else

std::string one_line(const std::string& where, const std::string& what, const std::string& hint) {
  std::string line = where.empty() ? what : where + ": " + what;
  if (!hint.empty()) line += " (" + hint + ")";
  return line;
}

// A problem that is itself a list of lines stands below its first one.
std::string indented(std::string text) {
  for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
    text.insert(at + 1, "  ");
  }
  return text;
}

size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitute});
    }
  }
  return row.back();
}

}  // namespace

Error::Error(ExitCode code, std::string where, std::string what, std::string hint)
    : std::runtime_error(one_line(where, what, hint)),
      code_(code),
      where_(std::move(where)),
      message_(std::move(what)),
      hint_(std::move(hint)) {}

void throw_user_error(std::string where, std::string what, std::string hint) {
  throw Error(ExitCode::kUserInput, std::move(where), std::move(what), std::move(hint));
}

void throw_machine_error(std::string where, std::string what, std::string hint) {
  throw Error(ExitCode::kMachine, std::move(where), std::move(what), std::move(hint));
}

void Problems::add(std::string where, std::string what, std::string hint) {
  lines_.push_back(one_line(where, what, hint));
}

void Problems::throw_if_any(const std::string& where) const {
  if (lines_.empty()) return;
  if (lines_.size() == 1) throw Error(ExitCode::kUserInput, "", lines_.front());
  std::string all = std::to_string(lines_.size()) + " problems:";
  const size_t shown = std::min(lines_.size(), kListedProblems);
  for (size_t i = 0; i < shown; ++i) all += "\n  " + indented(lines_[i]);
  if (lines_.size() > shown)
    all += "\n  ... and " + std::to_string(lines_.size() - shown) + " more";
  throw Error(ExitCode::kUserInput, where, all);
}

std::string nearest_name(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  size_t best_distance = word.size() / 2 + 1;
  for (const auto& name : known) {
    const size_t distance = edit_distance(word, name);
    if (distance < best_distance) {
      best_distance = distance;
      best = name;
    }
  }
  return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known,
                         const std::string& otherwise) {
  const std::string near = nearest_name(word, known);
  return near.empty() ? otherwise : "did you mean '" + near + "'?";
}

void throw_unknown(const std::string& what, const std::string& word,
                   const std::vector<std::string>& known) {
  throw_user_error("", "unknown " + what + " '" + word + "'; there are " + joined(known, ", "),
                   did_you_mean(word, known));
}

void throw_each_once(const Problems& problems, const std::string& where) {
  Problems unique;
  std::set<std::string> listed;
  for (const auto& line : problems.lines()) {
    if (listed.insert(line).second) unique.add("", line);
  }
  unique.throw_if_any(where);
}

}  // namespace kdbench
