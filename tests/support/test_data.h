// SPDX-License-Identifier: MIT
// The data that stand in the repository (tests/data/README.md).
#pragma once

#include <filesystem>
#include <string>

#include "tests/support/source_folders.h"

namespace kdbench::testing {

inline std::filesystem::path test_data(const std::string& name) {
  return std::filesystem::path(kTestData) / name;
}

}  // namespace kdbench::testing
