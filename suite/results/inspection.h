// SPDX-License-Identifier: MIT
// Texts about files: what they hold, after everything in them has been read and checked.
#pragma once

#include <filesystem>
#include <string>

namespace kdbench {

// An .h5 store, a .safetensors file, a run's folder or an experiment file (.toml). Throws a user
// error for anything else, and when the content is damaged.
std::string inspect(const std::filesystem::path& path);

}  // namespace kdbench
