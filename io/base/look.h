// SPDX-License-Identifier: MIT
// What lies at a path that a user named. A path that cannot be looked at (a folder without
// permission, a loop of links, too long a name) is the user's error and names the reason; nothing
// of std::filesystem is thrown. Local.
#pragma once

#include <filesystem>
#include <vector>

namespace kdbench {

bool is_there(const std::filesystem::path& path);
bool is_folder(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);
// What lies in a folder, by name.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);

}  // namespace kdbench
