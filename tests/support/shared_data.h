// SPDX-License-Identifier: MIT
// Where the reference data lies: the environment's KDBENCH_SHARED, else the folder given to CMake.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/support/source_folders.h"

namespace kdbench::testing {

inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("KDBENCH_SHARED");
  return folder ? folder : kSharedDefault;
}

}  // namespace kdbench::testing

// In a test: skips with a message unless `relative` exists below the shared folder; `name` is then
// its full path. In CI (CI set) a missing file is a failure: nothing is skipped there.
#define KDBENCH_NEED_SHARED(name, relative)                                                     \
  const std::filesystem::path name = ::kdbench::testing::shared_folder() / (relative);          \
  if (!std::filesystem::exists(name)) {                                                         \
    if (std::getenv("CI")) FAIL() << name << " is missing (set KDBENCH_SHARED)";                \
    GTEST_SKIP() << name << " is missing (set KDBENCH_SHARED to the folder with the fixtures)"; \
  }
