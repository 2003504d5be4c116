// SPDX-License-Identifier: MIT
// What a library threw, in the words of a user: one line, without the library's stack of frames.
#pragma once

#include <exception>
#include <string>

#include "io/base/error.h"

namespace kdbench {

// `error` itself when it is an Error; anything else becomes an error of the machine at `where`
// (which may be empty). Memory that could not be had is named as such.
Error as_error(const std::exception& error, const std::string& where);

// What nlohmann::json found wrong with a text, without its own tag: "parse error at line 1, ...".
std::string json_problem(const std::exception& error);

}  // namespace kdbench
