// SPDX-License-Identifier: MIT
// The lines of events.jsonl.
#pragma once

#include <nlohmann/json.hpp>

#include "suite/training/trainer.h"

namespace kdbench {

// The student's figures by their plain names, another learner's with its role in front.
nlohmann::json step_event(const StepRecord& record);
nlohmann::json evaluation_event(const EvaluationRecord& record);

}  // namespace kdbench
