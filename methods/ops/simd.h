// SPDX-License-Identifier: MIT
// KDBENCH_SIMD before a function of plain loops: GCC compiles it for AVX-512, AVX2 and the
// baseline, and the loader picks one, so that a portable build uses the machine it runs on. Empty
// where that is not supported (other compilers and processors; sanitizers, whose run time is not
// ready when the loader chooses). Lambdas inside are not cloned.
#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 12 && defined(__x86_64__) && \
    defined(__linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define KDBENCH_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KDBENCH_SIMD
#endif
