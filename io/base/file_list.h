// SPDX-License-Identifier: MIT
// The files of a finished folder with their sizes and hashes, so that whoever uses them later sees
// whether they are still what was written.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace kdbench {

// {"model/config.json": {"size": 412, "sha256": "..."}, ...}: all files below `folder` but
// `except`, the file that is to hold the list. Reads them all, but for stores (.h5), which carry
// their own hash. Local.
nlohmann::json list_files(const std::filesystem::path& folder, const std::string& except);

// Whether all files of the list are there in their size; `missing`, if given, receives the first
// that is not. Reads nothing. Local.
bool files_are_there(const std::filesystem::path& folder, const nlohmann::json& list,
                     std::string* missing = nullptr);

// Throws a user error that names the first file of the list, of those whose names begin with
// `prefix`, that is gone or is not what was written. A list that is no list (of a folder made
// before there were any) is taken as it is. Local.
void check_files(const std::filesystem::path& folder, const nlohmann::json& list,
                 const std::string& prefix = "");

}  // namespace kdbench
