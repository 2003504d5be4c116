// SPDX-License-Identifier: MIT
#include "reports/old_record.h"

#include <algorithm>
#include <string_view>

namespace kdbench {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr size_t kNowhere = std::string_view::npos;

// Behind the string whose opening quote stands at `at`; the text's size when it does not end.
size_t string_end(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Behind the value that begins at `at`, up to the comma or the bracket that follows. Brackets are
// counted, their kinds are not compared: what is no JSON is the parser's to say.
size_t value_end(std::string_view text, size_t at) {
  for (int depth = 0; at < text.size(); ++at) {
    switch (text[at]) {
      case '"':
        at = string_end(text, at) - 1;
        break;
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        if (--depth < 0) return at;
        break;
      case ',':
        if (depth == 0) return at;
        break;
      default:
        break;
    }
  }
  return text.size();
}

// Where the value of `key` begins in the object that begins at or behind `at`.
size_t find_value(std::string_view text, size_t at, std::string_view key) {
  const auto skip_to = [&](size_t from, char wanted) {
    at = text.find_first_not_of(kBlanks, from);
    return at < text.size() && text[at] == wanted;
  };
  if (!skip_to(at, '{')) return kNowhere;
  do {
    if (!skip_to(at + 1, '"')) return kNowhere;
    const size_t begin = at + 1, behind = string_end(text, at);
    if (!skip_to(behind, ':')) return kNowhere;
    if (text.substr(begin, behind - 1 - begin) == key) return at + 1;
  } while (skip_to(value_end(text, at + 1), ','));
  return kNowhere;
}

bool has_version_one(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks, find_value(text, 0, "schema_version"));
  if (begin == kNowhere) return false;
  const std::string_view value = text.substr(begin, value_end(text, begin) - begin);
  return value.substr(0, value.find_last_not_of(kBlanks) + 1) == "1";
}

}  // namespace

std::string without_whole_experiment(std::string text) {
  const size_t config = find_value(text, 0, "config");
  const size_t methods = config == kNowhere ? kNowhere : find_value(text, config, "methods");
  if (methods == kNowhere) return text;
  std::string shorter = text.substr(0, methods) + "[]";
  shorter.append(text, value_end(text, methods));
  if (has_version_one(shorter)) return shorter;
  return text;
}

}  // namespace kdbench
