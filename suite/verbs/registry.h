// SPDX-License-Identifier: MIT
// The verbs, one file each; their list is in registry.cpp.
#pragma once

#include "suite/verbs/verb.h"

namespace kdbench {

Verb augment_verb();
Verb comm_verb();
Verb distill_verb();
Verb doctor_verb();
Verb export_verb();
Verb finetune_verb();
Verb generate_verb();
Verb glue_zip_verb();
Verb inspect_verb();
Verb join_verb();
Verb keys_verb();
Verb methods_verb();
Verb predict_verb();
Verb prepare_verb();
Verb report_verb();
Verb run_verb();
Verb scale_verb();
Verb slurm_verb();
Verb status_verb();
Verb tokenize_verb();

}  // namespace kdbench
