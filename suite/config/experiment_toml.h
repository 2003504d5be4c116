// SPDX-License-Identifier: MIT
// A resolved experiment as an experiment file again: what a record says is run once more.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace kdbench {

// `resolved`: of Experiment::to_json, written by this version. The file, loaded where data and
// weights lie as they did, resolves to the same again; keys that hold for all stand in [train], the
// points of a grid in one [method.grid].
std::string experiment_toml(const nlohmann::json& resolved);

}  // namespace kdbench
