// SPDX-License-Identifier: MIT
// JSON files from elsewhere.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace kdbench {

// Throws a user error when the file is missing, no JSON, nested very deeply (values are copied and
// printed recursively), or no object.
nlohmann::json read_json_object(const std::filesystem::path& path);
// The same of a text, which came from `where`.
nlohmann::json json_object_of(const std::string& text, const std::string& where);

}  // namespace kdbench
