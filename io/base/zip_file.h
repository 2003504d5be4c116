// SPDX-License-Identifier: MIT
// A zip archive of a few files that fit in memory. Equal contents give equal bytes: all files bear
// the first date that the format knows.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace kdbench {

// Name in the archive -> content, in this order.
using ZipEntries = std::vector<std::pair<std::string, std::string>>;

// Writes <path>.partial and renames it; the parent folder is made when it is missing. Throws
// machine errors. Local.
void write_zip(const std::filesystem::path& path, const ZipEntries& entries);

}  // namespace kdbench
