// SPDX-License-Identifier: MIT
#include "methods/takd.h"

#include "methods/kd.h"

namespace kdbench {

// The same method trains the assistant, from the teacher's logits, and the student, from the
// assistant's.
MethodEntry takd_entry() {
  return {"takd", "Teacher, then a teaching assistant, then the student (Mirzadeh et al. 2020)",
          kd_options(),
          [](const Options& options) { return make_kd(options, /*from_assistant=*/true); }};
}

}  // namespace kdbench
