// SPDX-License-Identifier: MIT
// How a language model learns a task's texts for d-heavy (Tang et al. 2019, D19-6122): to say each
// id of a text, given those before it.
#pragma once

#include <memory>

#include "methods/method.h"

namespace kdbench {

// One phase "text" of one update on the student, a LanguageModel: term "ce" is the mean of -log p
// over all targets of the global batch, and is the loss. Not among the methods that a student
// learns by.
std::unique_ptr<Method> make_next_token();

}  // namespace kdbench
