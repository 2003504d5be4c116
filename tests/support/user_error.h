// SPDX-License-Identifier: MIT
// What a user is told.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "io/base/error.h"

namespace kdbench::testing {

// The text of the user error that `f` throws; "no error" when it throws none.
inline std::string user_error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUserInput);
    return error.what();
  }
  return "no error";
}

}  // namespace kdbench::testing
