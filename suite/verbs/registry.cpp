// SPDX-License-Identifier: MIT
// The one list of verbs, in the order of --help.
#include "suite/verbs/registry.h"

namespace kdbench {

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> verbs{
      run_verb(),      status_verb(),   slurm_verb(),   prepare_verb(), finetune_verb(),
      export_verb(),   distill_verb(),  predict_verb(), augment_verb(), generate_verb(),
      join_verb(),     glue_zip_verb(), report_verb(),  keys_verb(),    methods_verb(),
      tokenize_verb(), inspect_verb(),  doctor_verb(),  comm_verb(),    scale_verb(),
  };
  return verbs;
}

}  // namespace kdbench
