// SPDX-License-Identifier: MIT
// A plan for a person, as tables.
#pragma once

#include <string>
#include <vector>

#include "suite/walks/plan.h"

namespace kdbench {

std::string plan_text(const Plan& plan);

// What it should be changed for, a sentence each: memory, disk, ranks without work.
std::vector<std::string> plan_warnings(const Plan& plan);

}  // namespace kdbench
