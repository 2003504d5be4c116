// SPDX-License-Identifier: MIT
// The one list of verbs, in the order of --help.
#include "suite/verb.h"
#include "suite/verbs/inspect.h"
#include "suite/verbs/methods.h"
#include "suite/verbs/prepare.h"
#include "suite/verbs/report.h"
#include "suite/verbs/run.h"
#include "suite/verbs/tokenize.h"

namespace kdbench {

const std::vector<Verb>& all_verbs() {
  static const std::vector<Verb> verbs{
      run_verb(), prepare_verb(), report_verb(), methods_verb(), tokenize_verb(), inspect_verb(),
  };
  return verbs;
}

const std::vector<std::string>& planned_verbs() {
  static const std::vector<std::string> names{"finetune", "export",   "distill",  "predict",
                                              "augment",  "generate", "glue-zip", "join",
                                              "scale",    "slurm",    "comm",     "doctor"};
  return names;
}

}  // namespace kdbench
