// SPDX-License-Identifier: MIT
// Keys that are members of some settings: what one means and takes, and where its value lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "methods/options/options.h"

namespace kdbench {

template <typename Settings>
struct SettingsKey {
  template <typename T>
  using Member = T& (*)(Settings&);

  OptionSpec spec;  // its fallback is the default of Settings
  std::variant<Member<bool>, Member<int64_t>, Member<double>, Member<std::string>,
               Member<std::vector<int64_t>>, Member<std::filesystem::path>,
               Member<std::vector<std::filesystem::path>>>
      member;
};

namespace settings_key {

template <typename T>
void assign(const OptionValue& value, T& member) {
  member = std::get<T>(value);
}
inline void assign(const OptionValue& value, std::filesystem::path& member) {
  member = std::get<std::string>(value);
}
inline void assign(const OptionValue& value, std::vector<std::filesystem::path>& member) {
  const auto& paths = std::get<std::vector<std::string>>(value);
  member.assign(paths.begin(), paths.end());
}

}  // namespace settings_key

// Puts values, of the specs' names and types, into `settings`; others stay.
template <typename Settings>
void overlay(const std::vector<SettingsKey<Settings>>& keys,
             const std::map<std::string, OptionValue>& values, Settings& settings) {
  for (const auto& key : keys) {
    const auto found = values.find(key.spec.name);
    if (found == values.end()) continue;
    std::visit([&](auto member) { settings_key::assign(found->second, member(settings)); },
               key.member);
  }
}

// The values by the keys' names, for records and keys of stages; none of paths.
template <typename Settings>
nlohmann::json keys_json(const std::vector<SettingsKey<Settings>>& keys, Settings settings) {
  nlohmann::json json;
  for (const auto& key : keys) {
    if (key.spec.path) continue;
    std::visit([&](auto member) { json[key.spec.name] = member(settings); }, key.member);
  }
  return json;
}

}  // namespace kdbench
