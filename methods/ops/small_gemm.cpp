// SPDX-License-Identifier: MIT
// One register tile of C at a time, kRows x kVectors vectors: each step over k loads a row piece of
// B and broadcasts kRows elements of A. The tile is a template of the vector type, instantiated for
// each vector width.
#include "methods/ops/small_gemm.h"

#include "methods/ops/isa.h"

namespace kdbench {
namespace {

template <int kFloats>
struct Vector {
  typedef float Type __attribute__((vector_size(4 * kFloats), aligned(4), may_alias));
};

struct Gemm {
  int64_t m, n, k;
  GemmOperand a;
  const float* b;
  float* c;
};

template <int kFloats, int kRows, int kVectors>
__attribute__((always_inline)) inline void tile(const Gemm& g, int64_t i, int64_t j) {
  using V = typename Vector<kFloats>::Type;
  V sum[kRows][kVectors] = {};
  const float* a = g.a.data + i * g.a.row_stride;
  const float* b = g.b + j;
  for (int64_t p = 0; p < g.k; ++p, a += g.a.column_stride, b += g.n) {
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        sum[r][v] += a[r * g.a.row_stride] * reinterpret_cast<const V*>(b)[v];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      reinterpret_cast<V*>(g.c + (i + r) * g.n + j)[v] = sum[r][v];
    }
  }
}

// Rows i .. m - 1 of the columns from j: tiles of kRows, then of half as many, down to one.
template <int kFloats, int kRows, int kVectors>
__attribute__((always_inline)) inline void column_block(const Gemm& g, int64_t i, int64_t j) {
  for (; i + kRows <= g.m; i += kRows) tile<kFloats, kRows, kVectors>(g, i, j);
  if constexpr (kRows > 1) column_block<kFloats, kRows / 2, kVectors>(g, i, j);
}

template <int kFloats, int kRows, int kVectors>
__attribute__((always_inline)) inline void blocks(const Gemm& g) {
  constexpr int64_t kStep = int64_t{kFloats} * kVectors;
  int64_t j = 0;
  for (; j + kStep <= g.n; j += kStep) column_block<kFloats, kRows, kVectors>(g, 0, j);
  for (; j < g.n; j += kFloats) column_block<kFloats, kRows, 1>(g, 0, j);
}

void baseline_gemm(const Gemm& g) { blocks<4, 4, 2>(g); }

#ifdef KDBENCH_X86_KERNELS
KDBENCH_AVX512 void avx512_gemm(const Gemm& g) { blocks<16, 12, 2>(g); }
KDBENCH_AVX2 void avx2_gemm(const Gemm& g) { blocks<8, 6, 2>(g); }

auto* choose_gemm() {
  if (machine_isa() == Isa::kAvx512) return avx512_gemm;
  if (machine_isa() == Isa::kAvx2) return avx2_gemm;
  return baseline_gemm;
}
#else
auto* choose_gemm() { return baseline_gemm; }
#endif

}  // namespace

void small_gemm(int64_t m, int64_t n, int64_t k, const GemmOperand& a, const float* b, float* c) {
  static const auto kernel = choose_gemm();
  kernel({m, n, k, a, b, c});
}

}  // namespace kdbench
