// SPDX-License-Identifier: MIT
#include "methods/models/architecture.h"

#include <algorithm>

namespace kdbench {
namespace {

bool begins_with_one(const std::string& name, const std::vector<std::string>& beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](const std::string& beginning) { return name.starts_with(beginning); });
}

}  // namespace

std::string CheckpointNames::own_name(const std::string& name) const {
  std::string own = name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  for (const auto& [old_end, end] : renamed_ends) {
    if (own.ends_with(old_end)) return own.substr(0, own.size() - old_end.size()) + end;
  }
  return own;
}

std::optional<std::string> CheckpointNames::wrapper_of(const std::string& name) const {
  if (own_name(name) == landmark) return "";
  if (!name.ends_with("." + landmark)) return std::nullopt;
  std::string before = name.substr(0, name.size() - landmark.size());
  if (before.ends_with("." + prefix)) before.resize(before.size() - prefix.size());
  return before;
}

std::string CheckpointNames::file_name(const std::string& name) const {
  return begins_with_one(name, prefixed) ? prefix + name : name;
}

bool CheckpointNames::must_be_there(const std::string& name) const {
  return begins_with_one(name, needed);
}

bool CheckpointNames::holds_no_parameter(const std::string& name) const {
  return std::any_of(no_parameters.begin(), no_parameters.end(),
                     [&](const std::string& end) { return name.ends_with(end); });
}

}  // namespace kdbench
