// SPDX-License-Identifier: MIT
// The data that stand in the repository (tests/data/README.md).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/support/source_folders.h"

namespace kdbench::testing {

inline std::filesystem::path test_data(const std::string& name) {
  const char* elsewhere = std::getenv("KDBENCH_TEST_DATA");
  return std::filesystem::path(elsewhere ? elsewhere : kTestData) / name;
}

}  // namespace kdbench::testing
