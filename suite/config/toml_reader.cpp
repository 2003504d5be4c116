// SPDX-License-Identifier: MIT
#include "suite/config/toml_reader.h"

#include "io/base/text.h"

namespace kdbench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kOverride = "--set ";

}  // namespace

bool is_override(const toml::node& node) {
  return node.source().path && node.source().path->rfind(kOverride, 0) == 0;
}

std::string place_of(const toml::node& node) {
  const auto& source = node.source();
  if (!source.path) return "";
  if (is_override(node)) return *source.path;
  return *source.path + ":" + std::to_string(source.begin.line);
}

std::optional<std::string> text_of(const toml::node& node) {
  if (node.is_string()) return **node.as_string();
  if (!is_override(node) || node.is_array() || node.is_table()) return std::nullopt;
  const std::string& written = *node.source().path;
  return written.substr(written.find('=') + 1);
}

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::string:
      return "text";
    case toml::node_type::integer:
      return "integer";
    case toml::node_type::floating_point:
      return "number";
    case toml::node_type::boolean:
      return "true or false";
    case toml::node_type::array:
      return "list";
    case toml::node_type::table:
      return "table";
    default:
      return "date or time";
  }
}

std::optional<double> number_of(const toml::node& node) {
  if (node.is_integer()) return static_cast<double>(**node.as_integer());
  if (node.is_floating_point()) return **node.as_floating_point();
  return std::nullopt;
}

fs::path absolute_path(const std::string& path, const toml::node& node) {
  const fs::path base =
      is_override(node) ? fs::current_path() : fs::absolute(*node.source().path).parent_path();
  return (base / path).lexically_normal();
}

std::optional<std::vector<int64_t>> integers_of(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (!list) return std::nullopt;
  std::vector<int64_t> values;
  for (const auto& element : *list) {
    if (!element.is_integer()) return std::nullopt;
    values.push_back(**element.as_integer());
  }
  return values;
}

std::optional<std::vector<std::string>> texts_of(const toml::node& node) {
  const toml::array* list = node.as_array();
  if (!list) return std::nullopt;
  std::vector<std::string> values;
  for (const auto& element : *list) {
    if (!element.is_string()) return std::nullopt;
    values.push_back(**element.as_string());
  }
  return values;
}

TableReader::TableReader(const toml::table& table, std::string key, Problems& problems)
    : self_(&table), key_(std::move(key)), problems_(&problems) {
  for (const auto& [name, value] : table) nodes_.emplace(name.str(), &value);
}

TableReader::TableReader(const std::string& name, const toml::node& value, std::string key,
                         Problems& problems)
    : self_(&value), nodes_{{name, &value}}, key_(std::move(key)), problems_(&problems) {}

const toml::node* TableReader::find(const std::string& name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second;
}

std::string TableReader::key(const std::string& name) const {
  return key_.empty() ? name : key_ + "." + name;
}

std::string TableReader::place() const { return place_of(*self_); }

std::string TableReader::place(const std::string& name) const {
  const toml::node* found = find(name);
  return found ? place_of(*found) : place();
}

void TableReader::problem(const std::string& name, const std::string& what,
                          const std::string& hint) {
  problems_->add(place(name), key(name) + ": " + what, hint);
}

void TableReader::expected(const std::string& name, const std::string& what,
                           const toml::node& found) {
  problem(name, "expected " + what + ", found " + kind_of(found));
}

const toml::node* TableReader::node(const std::string& name) {
  known_.insert(name);
  return find(name);
}

std::optional<TableReader> TableReader::table(const std::string& name) {
  const toml::node* found = node(name);
  if (!found) return std::nullopt;
  if (found->is_table()) return TableReader(*found->as_table(), key(name), *problems_);
  expected(name, "a table", *found);
  return std::nullopt;
}

std::vector<TableReader> TableReader::tables(const std::string& name) {
  std::vector<TableReader> readers;
  const toml::node* found = node(name);
  if (!found) return readers;
  if (!found->is_array_of_tables()) {
    problem(name, "expected tables, found " + kind_of(*found), "write [[" + key(name) + "]]");
    return readers;
  }
  for (const auto& element : *found->as_array()) {
    readers.emplace_back(*element.as_table(), key(name), *problems_);
  }
  return readers;
}

std::vector<std::string> TableReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : nodes_) names.push_back(name);
  return names;
}

void TableReader::finish() {
  const std::vector<std::string> known(known_.begin(), known_.end());
  for (const auto& name : names()) {
    if (known_.count(name)) continue;
    problem(name, "unknown key", did_you_mean(name, known, "known here: " + joined(known, ", ")));
  }
}

}  // namespace kdbench
