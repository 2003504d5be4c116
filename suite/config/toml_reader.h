// SPDX-License-Identifier: MIT
// Access to the tables of a TOML document that reports every problem with its place: a table that
// is none, a key that nobody asked for. Values (option_reader.h) carry the place they come from
// (toml++ source regions): a line of the file, or the text of the --set that wrote them.
#pragma once

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/base/error.h"

namespace kdbench {

// "file:line", or "--set key=value".
std::string place_of(const toml::node& node);
// True when the value was written by --set.
bool is_override(const toml::node& node);
// What is written: a string, or, where a text is expected, a single value of --set as it stands
// there: a folder may be called 2024-05-01, 1e3 or true. Nothing for lists and tables.
std::optional<std::string> text_of(const toml::node& node);
// "text", "integer", "number", "true or false", "list", "table", "date or time": what a value is.
std::string kind_of(const toml::node& node);
// The value as it may be read as a number; an integer is a number too.
std::optional<double> number_of(const toml::node& node);
// A relative path starts at the folder of the file that has the value, or, in --set, at the working
// folder.
std::filesystem::path absolute_path(const std::string& path, const toml::node& node);
// A list of integers, and of texts.
std::optional<std::vector<int64_t>> integers_of(const toml::node& node);
std::optional<std::vector<std::string>> texts_of(const toml::node& node);

// One table. Every accessor notes its key as known; absent keys and problems give nullopt.
class TableReader {
 public:
  // `key`: the table's own path, "method.kd" ("" for the whole document).
  TableReader(const toml::table& table, std::string key, Problems& problems);
  // As if `value` stood alone in a table, as `name`: for the elements of a list.
  TableReader(const std::string& name, const toml::node& value, std::string key,
              Problems& problems);

  std::optional<TableReader> table(const std::string& name);
  // [[name]]
  std::vector<TableReader> tables(const std::string& name);
  // The raw value, or null.
  const toml::node* node(const std::string& name);

  // Reports the keys that no accessor has asked for.
  void finish();

  bool has(const std::string& name) const { return nodes_.contains(name); }
  std::vector<std::string> names() const;
  const std::string& key() const { return key_; }
  void set_key(std::string key) { key_ = std::move(key); }
  // "method.kd.alpha"
  std::string key(const std::string& name) const;
  // Where a key stands; the table's own place when the key is absent.
  std::string place(const std::string& name) const;
  std::string place() const;
  Problems& problems() { return *problems_; }
  // "train.epochs: expected ...", at the key's place.
  void problem(const std::string& name, const std::string& what, const std::string& hint = "");
  // Runs `f` and takes over the user error that it throws, if any, as a problem of the key.
  template <typename F>
  void collect(const std::string& name, F&& f) {
    try {
      f();
    } catch (const Error& error) {
      if (error.code() != ExitCode::kUserInput) throw;
      problem(name, error.what());
    }
  }

 private:
  void expected(const std::string& name, const std::string& what, const toml::node& found);

  // Null where there is no such key.
  const toml::node* find(const std::string& name) const;

  const toml::node* self_;  // where the table stands
  std::map<std::string, const toml::node*> nodes_;
  std::string key_;
  Problems* problems_;
  std::set<std::string> known_;
};

}  // namespace kdbench
