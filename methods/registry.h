// SPDX-License-Identifier: MIT
// The one list of methods (registry.cpp).
#pragma once

#include <string>
#include <vector>

#include "methods/method.h"

namespace kdbench {

const std::vector<MethodEntry>& all_methods();
// One more, from outside this repository: called before anything asks for the list (a program's own
// main, which then calls run_program). Throws std::logic_error for a name that is there.
void add_method(MethodEntry entry);
// Throws a user error with the nearest known name.
const MethodEntry& find_method(const std::string& name);
// Names of the contract that a later version brings: refused as "not available yet".
const std::vector<std::string>& planned_methods();

}  // namespace kdbench
