// SPDX-License-Identifier: MIT
// For the few kernels that are written once for each vector width and chosen at the call (loops
// that the compiler vectorises by itself use KDBENCH_SIMD instead).
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__)
#define KDBENCH_X86_KERNELS 1
#define KDBENCH_AVX512 __attribute__((target("arch=x86-64-v4")))
#define KDBENCH_AVX2 __attribute__((target("arch=x86-64-v3")))
#endif

namespace kdbench {

enum class Isa { kBaseline, kAvx2, kAvx512 };

// The widest that this machine has.
inline Isa machine_isa() {
#ifdef KDBENCH_X86_KERNELS
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return Isa::kAvx512;
  if (__builtin_cpu_supports("x86-64-v3")) return Isa::kAvx2;
#endif
  return Isa::kBaseline;
}

}  // namespace kdbench
