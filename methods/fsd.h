// SPDX-License-Identifier: MIT
// Feature structure distillation (Jung et al. 2023, arXiv 2204.08922): beside labels and softened
// logits, the student's hidden states keep the structure of the teacher's, measured by linear CKA:
// of tokens within a row (I), of rows within the global batch (L), of rows against a memory of
// centroids (G).
//   alpha CE + (1 - alpha) KD + beta (gamma_intra I + gamma_local L + gamma_global G)
// alpha weighs the hard labels here (elsewhere the soft ones). Scores (STS-B) have no KD term.
// Padding takes no part; student and teacher may differ in width, and must read the same tokens.
#pragma once

#include "methods/method.h"

namespace kdbench {

MethodEntry fsd_entry();

}  // namespace kdbench
