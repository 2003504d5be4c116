// SPDX-License-Identifier: MIT
// What is marked by RECORD_USER_SCOPE, as NVTX ranges for NVIDIA's profilers.
#pragma once

namespace kdbench {

// From now on, where a profiler has asked for them: Nsight starts programs with
// NVTX_INJECTION64_PATH set. Otherwise, and in a build without CUDA, nothing is done.
void mark_ranges_for_profilers();

}  // namespace kdbench
