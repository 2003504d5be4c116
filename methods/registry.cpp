// SPDX-License-Identifier: MIT
#include "methods/registry.h"

#include "io/base/error.h"
#include "methods/entries.h"

namespace kdbench {

const std::vector<MethodEntry>& all_methods() {
  static const std::vector<MethodEntry> methods = {
      finetune_entry(),     kd_entry(),    takd_entry(), pkd_entry(),
      annealing_kd_entry(), prokt_entry(), fsd_entry(),
  };
  return methods;
}

const MethodEntry& find_method(const std::string& name) {
  std::vector<std::string> known;
  for (const auto& entry : all_methods()) {
    if (entry.name == name) return entry;
    known.push_back(entry.name);
  }
  for (const auto& planned : planned_methods()) {
    if (planned == name) throw_user_error("method " + name, "not available yet");
  }
  const std::string near = nearest_name(name, known);
  throw_user_error("method " + name, "unknown method",
                   near.empty() ? "`kdbench methods` lists them" : "did you mean '" + near + "'?");
}

const std::vector<std::string>& planned_methods() {
  static const std::vector<std::string> names = {"d-lite", "d-heavy"};
  return names;
}

}  // namespace kdbench
