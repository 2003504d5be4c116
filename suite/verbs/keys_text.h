// SPDX-License-Identifier: MIT
// Keys of the experiment file as users read them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "methods/options/options.h"

namespace kdbench {

// Of each key what it takes, its default and, where that is said, where the default comes from;
// below, what it means.
std::string keys_text(const std::vector<OptionSpec>& specs);
// The same for programs, a row each.
nlohmann::json keys_json(const std::vector<OptionSpec>& specs);
// One table of the experiment file. Throws a user error with the tables there are.
std::string table_text(const std::string& name);

}  // namespace kdbench
