// SPDX-License-Identifier: MIT
// A plan for a person, as tables.
#pragma once

#include <string>

#include "suite/walks/plan.h"

namespace kdbench {

std::string plan_text(const Plan& plan);

}  // namespace kdbench
