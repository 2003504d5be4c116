// SPDX-License-Identifier: MIT
// JSON files from elsewhere.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

namespace kdbench {

// Throws a user error when the file is missing, no JSON, nested very deeply (values are copied and
// printed recursively), or no object.
nlohmann::json read_json_object(const std::filesystem::path& path);

}  // namespace kdbench
