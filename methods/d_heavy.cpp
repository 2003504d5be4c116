// SPDX-License-Identifier: MIT
// d-heavy (Tang et al. 2019, ACL D19-6122): d-lite's loss, on a transfer set that a language model
// wrote.
#include "methods/d_lite.h"
#include "methods/entries.h"

namespace kdbench {

MethodEntry d_heavy_entry() {
  return {"d-heavy",
          "Regression of the teacher's logits on texts of a language model (Tang et al. 2019)",
          d_lite_options(),
          [](const Options& options) { return make_d_lite(options); },
          /*compares_states=*/false,
          /*transfer=*/transfer_kind::kLanguageModel};
}

}  // namespace kdbench
