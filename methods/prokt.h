// SPDX-License-Identifier: MIT
// ProKT (Shi et al. 2021, arXiv 2107.09305): teacher and student learn together. Per batch the
// teacher takes a step on the task that keeps it near the student, then the student takes a step
// towards the updated teacher:
//   teacher  (1 - lambda) CE(y, p_t) + lambda KL(p_s || p_t)
//   student  KL(p_t || p_s), and the terms of hidden_alignment.h when asked for
// Constraint mode replaces the teacher's by CE + mu (KL - epsilon), with mu <- max(0, mu + eta (KL
// - epsilon)) after each of its steps. Scores (STS-B) take squared errors for CE and KL.
#pragma once

#include "methods/method.h"

namespace kdbench {

MethodEntry prokt_entry();

}  // namespace kdbench
