// SPDX-License-Identifier: MIT
#include "methods/registry.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "io/base/error.h"
#include "methods/entries.h"

namespace kdbench {
namespace {

std::vector<MethodEntry>& method_list() {
  static std::vector<MethodEntry> methods = {
      finetune_entry(), kd_entry(),  takd_entry(),   pkd_entry(),     annealing_kd_entry(),
      prokt_entry(),    fsd_entry(), d_lite_entry(), d_heavy_entry(),
  };
  return methods;
}

}  // namespace

const std::vector<MethodEntry>& all_methods() { return method_list(); }

void add_method(MethodEntry entry) {
  const auto same = [&](const MethodEntry& other) { return other.name == entry.name; };
  if (std::any_of(method_list().begin(), method_list().end(), same))
    throw std::logic_error("there is a method " + entry.name + " already");
  method_list().push_back(std::move(entry));
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
  throw_user_error("method " + name, "unknown method",
                   did_you_mean(name, known, "`kdbench methods` lists them"));
}

const std::vector<std::string>& planned_methods() {
  static const std::vector<std::string> names = {};
  return names;
}

}  // namespace kdbench
