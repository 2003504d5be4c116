// SPDX-License-Identifier: MIT
// How a masked language model learns a task's texts (d-bert's finetune_bert; Devlin et al. 2019,
// 3.1): to say the ids that were hidden, given the rest of the row.
#pragma once

#include <memory>

#include "methods/masking.h"
#include "methods/method.h"

namespace kdbench {

// One phase "text" of one update on the student, a MaskedModel: each step hides other ids, and term
// "ce" is the mean of -log p over all of them in the global batch, and is the loss. Not among the
// methods that a student learns by.
std::unique_ptr<Method> make_masked_token(const Masking& masking);

}  // namespace kdbench
