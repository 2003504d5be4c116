// SPDX-License-Identifier: MIT
// Texts about files: what they hold, after everything in them has been read and checked.
#pragma once

#include <filesystem>
#include <string>

namespace kdbench {

// An .h5 store, a .safetensors file, an experiment file (.toml), or a folder of results: a run's, a
// stage's, or one with runs below it. Throws a user error for anything else, and when something is
// damaged.
std::string inspect(const std::filesystem::path& path);

}  // namespace kdbench
