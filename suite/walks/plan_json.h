// SPDX-License-Identifier: MIT
// A plan for programs.
#pragma once

#include <nlohmann/json.hpp>

#include "suite/walks/plan.h"

namespace kdbench {

// Bytes, seconds and FLOP in full.
nlohmann::json plan_json(const Plan& plan);

}  // namespace kdbench
