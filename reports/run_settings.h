// SPDX-License-Identifier: MIT
// What a run's result depends on but its seed: runs that differ here are never averaged.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kdbench {

// Values as text by their place: "/train/epochs" -> "3".
using Settings = std::map<std::string, std::string>;

// A teacher's hash and weights depend on its seed, so its settings stand for them. Empty for a run
// that never began, because its teacher failed for example.
Settings settings_of(const nlohmann::json& run);

// For each of several settings where it differs from the others: "epochs=3, alpha=0.5".
std::vector<std::string> names_of_differences(const std::vector<Settings>& all);

}  // namespace kdbench
