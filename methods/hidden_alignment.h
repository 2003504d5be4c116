// SPDX-License-Identifier: MIT
// Squared errors between what two Transformers hold inside (Shi et al. 2021, the authors' program,
// --hidden_alignment): embeddings, hidden states and attention probabilities. Student layer l is
// compared with teacher layer 1 + m (l - 1), m = floor(teacher layers / student layers). One
// projection without bias carries the student's states to the teacher's width.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "methods/models/model.h"

namespace kdbench {

struct AlignmentParts {
  bool embeddings = true, hidden = true, attention = true;
};

// The student's own parameter (H_t, H_s) that the states go through.
inline constexpr const char* kAlignmentProjection = "alignment.weight";

// What the two forward passes must return for hidden_alignment.
void request_states(const AlignmentParts& parts, int64_t student_layers, int64_t teacher_layers,
                    ForwardMode& student, ForwardMode& teacher);

// This share's part of each term that is asked for: "align_embeddings", "align_hidden" (summed over
// the student's layers), "align_attention" (likewise). A row's error is a mean over its own tokens
// and the width (attention: over heads and pairs of its tokens), a term the mean over the global
// batch. The teacher's outputs are constants. Both models have the same tokens and, for attention,
// as many heads.
std::vector<std::pair<std::string, at::Tensor>> hidden_alignment(const Outputs& student,
                                                                 const Outputs& teacher,
                                                                 const at::Tensor& projection,
                                                                 const Batch& batch,
                                                                 const AlignmentParts& parts);

}  // namespace kdbench
