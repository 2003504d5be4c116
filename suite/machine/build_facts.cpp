// SPDX-License-Identifier: MIT
#include "suite/machine/build_facts.h"

#include "revision.h"

namespace kdbench {

BuildFacts build_facts() {
  return {KDBENCH_VERSION, KDBENCH_BUILD_TYPE, KDBENCH_CXX_FLAGS, KDBENCH_GIT_COMMIT,
          KDBENCH_GIT_CLEAN};
}

}  // namespace kdbench
