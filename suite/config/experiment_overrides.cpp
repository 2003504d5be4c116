// SPDX-License-Identifier: MIT
#include "suite/config/experiment_overrides.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/base/text.h"

namespace kdbench {
namespace {

// A table with the single key "value". A text that is not TOML is taken as it stands.
toml::table parse_value(const std::string& value, const std::string& place) {
  try {
    toml::table parsed = toml::parse("value = " + value, place);
    if (parsed.size() == 1 && parsed.contains("value")) return parsed;
  } catch (const toml::parse_error&) {
  }
  std::string escaped;
  for (const char c : value) {
    const bool control = static_cast<unsigned char>(c) < 0x20;
    escaped += control ? fmt::format("\\u{:04x}", static_cast<int>(c)) : std::string(1, c);
    if (c == '"' || c == '\\') escaped.insert(escaped.size() - 1, 1, '\\');
  }
  return toml::parse("value = \"" + escaped + "\"", place);
}

std::string label_of(const toml::table& method) {
  for (const char* key : {"label", "name"}) {
    if (const auto* text = method.get_as<std::string>(key)) return **text;
  }
  return "";
}

// The [[method]] that `rest` ("<label>.alpha") begins with; takes the label off. Labels may hold
// dots.
toml::table* find_method_table(toml::table& document, std::string& rest, const std::string& place,
                               Problems& problems) {
  std::vector<std::string> labels;
  toml::table* found = nullptr;
  size_t length = 0;  // labels may hold dots: the longest that fits is meant
  if (auto* methods = document.get_as<toml::array>("method")) {
    for (auto& element : *methods) {
      if (!element.is_table()) continue;
      labels.push_back(label_of(*element.as_table()));
      if (rest.rfind(labels.back() + ".", 0) != 0 || labels.back().size() < length) continue;
      found = element.as_table();
      length = labels.back().size();
    }
  }
  if (found) {
    rest = rest.substr(length + 1);
    return found;
  }
  if (std::find(labels.begin(), labels.end(), rest) != labels.end()) {
    problems.add(place, "expected method." + rest + ".<key>=value");
    return nullptr;
  }
  const std::string word = rest.substr(0, rest.find('.'));
  if (const size_t point = word.find('['); point != std::string::npos) {
    problems.add(place, "a grid's points cannot be set one by one",
                 "method." + word.substr(0, point) + ".<key>=value holds a key still for all");
    return nullptr;
  }
  problems.add(place, "no method has the label '" + word + "'",
               did_you_mean(word, labels, "labels: " + joined(labels, ", ")));
  return nullptr;
}

void insert(toml::table& root, const std::string& key, toml::table value, const std::string& place,
            Problems& problems) {
  toml::table* table = &root;
  size_t begin = 0;
  for (size_t dot = key.find('.'); dot != std::string::npos; dot = key.find('.', begin)) {
    const std::string part = key.substr(begin, dot - begin);
    begin = dot + 1;
    if (!table->contains(part)) {
      toml::table created = toml::parse("value = {}", place);
      table->insert(part, std::move(*created.get_as<toml::table>("value")));
    }
    table = table->get_as<toml::table>(part);
    if (!table) {
      problems.add(place, "'" + part + "' is no table");
      return;
    }
  }
  const std::string last = key.substr(begin);
  value.get("value")->visit([&](auto& node) { table->insert_or_assign(last, std::move(node)); });
}

void apply(toml::table& document, const std::string& text, Problems& problems) {
  const std::string place = "--set " + text;
  const size_t equals = text.find('=');
  const std::string key = text.substr(0, equals);
  if (equals == std::string::npos || key.empty() || key.front() == '.' || key.back() == '.' ||
      key.find("..") != std::string::npos) {
    problems.add(place, "expected key=value", "for example --set train.epochs=2");
    return;
  }
  toml::table value = parse_value(text.substr(equals + 1), place);
  toml::table* root = &document;
  std::string rest = key;
  if (key.rfind("method.", 0) == 0) {
    rest = key.substr(7);
    root = find_method_table(document, rest, place, problems);
  }
  if (root) insert(*root, rest, std::move(value), place, problems);
}

}  // namespace

void apply_overrides(toml::table& document, const std::vector<std::string>& overrides,
                     Problems& problems) {
  for (const auto& text : overrides) {
    try {
      apply(document, text, problems);
    } catch (const toml::parse_error& error) {  // not even a text: invalid UTF-8
      problems.add("--set " + text, std::string(error.description()));
    }
  }
}

}  // namespace kdbench
