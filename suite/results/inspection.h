// SPDX-License-Identifier: MIT
// What files hold, after everything in them has been read and checked.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace kdbench {

// For people, and for programs.
struct Contents {
  std::string text;
  nlohmann::json data;  // "kind", and what there is of such a thing
};

// An .h5 store, a .safetensors file, an experiment file (.toml), or a folder of results: a run's, a
// stage's, or one with runs below it. Throws a user error for anything else, and when something is
// damaged.
Contents inspect(const std::filesystem::path& path);

}  // namespace kdbench
