// SPDX-License-Identifier: MIT
// What downloads leave in the place of a file: the pointer of Git LFS, a web page. Each is named as
// what it is, whatever the file should have been.
#pragma once

#include <filesystem>
#include <string_view>

namespace kdbench {

// Throws a user error when `text`, the beginning of `path` or all of it, is a stand-in.
void refuse_stand_in(const std::filesystem::path& path, std::string_view text);
// The same; reads the beginning. A file that cannot be read is left to its reader.
void refuse_stand_in(const std::filesystem::path& path);

}  // namespace kdbench
