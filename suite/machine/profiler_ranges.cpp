// SPDX-License-Identifier: MIT
#include "suite/machine/profiler_ranges.h"

#ifdef KDBENCH_CUDA
#include <ATen/record_function.h>
#include <nvtx3/nvToolsExt.h>

#include <cstdlib>
#include <memory>
#endif

namespace kdbench {

#ifdef KDBENCH_CUDA
namespace {

std::unique_ptr<at::ObserverContext> begin_range(const at::RecordFunction& function) {
  nvtxRangePushA(function.name());
  return nullptr;
}

void end_range(const at::RecordFunction&, at::ObserverContext*) { nvtxRangePop(); }

}  // namespace

void mark_ranges_for_profilers() {
  if (!std::getenv("NVTX_INJECTION64_PATH")) return;
  at::addGlobalCallback(
      at::RecordFunctionCallback(begin_range, end_range).scopes({at::RecordScope::USER_SCOPE}));
}
#else
void mark_ranges_for_profilers() {}
#endif

}  // namespace kdbench
