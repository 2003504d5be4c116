// SPDX-License-Identifier: MIT
// From TOML values to option values, by the specifications that a method or a table of keys
// declares.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "methods/options/options.h"
#include "suite/config/toml_reader.h"

namespace kdbench {

// What a key takes: "a number from 0 to 1", "one of \"skip\", \"last\", or a list of integers".
std::string expectation(const OptionSpec& spec);
// A value as text: true, 5, 0.5, skip, [1,2].
std::string value_text(const OptionValue& value);
// The default, or what holds without a value.
std::string default_text(const OptionSpec& spec);

// Reads the value of `spec`; a mistake goes to `problems` as "<key>: expected ...".
std::optional<OptionValue> read_option(const OptionSpec& spec, const toml::node& node,
                                       const std::string& key, Problems& problems);

// The specification of a key of `table`; null, with a problem at its place, when there is none.
const OptionSpec* find_spec(const std::vector<OptionSpec>& specs, const std::string& name,
                            TableReader& table);

using OptionValues = std::map<std::string, OptionValue>;

// Values by key; defaults where the table has none, for the keys that have one.
OptionValues read_options(const std::vector<OptionSpec>& specs, TableReader& table);

// Puts the value of `name` into `member`; leaves it alone where there is none.
template <typename T>
void take(const OptionValues& values, const std::string& name, T& member) {
  const auto found = values.find(name);
  if (found != values.end()) member = std::get<T>(found->second);
}
inline void take(const OptionValues& values, const std::string& name,
                 std::filesystem::path& member) {
  std::string text;
  take(values, name, text);
  if (!text.empty()) member = text;
}
template <typename T>
void take(const OptionValues& values, const std::string& name, std::optional<T>& member) {
  if (values.contains(name)) take(values, name, member.emplace());
}

}  // namespace kdbench
