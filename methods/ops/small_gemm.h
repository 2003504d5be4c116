// SPDX-License-Identifier: MIT
// C = A B for the small matrices of one attention head, where a library call costs more than its
// work.
#pragma once

#include <cstdint>

namespace kdbench {

// Columns of B and C come in blocks of this many floats; callers pad with zeros.
inline constexpr int64_t kGemmColumns = 16;
constexpr int64_t padded_columns(int64_t n) {
  return (n + kGemmColumns - 1) / kGemmColumns * kGemmColumns;
}

// Element (i, p) of A, transposed or not, is data[i * row_stride + p * column_stride].
struct GemmOperand {
  const float* data;
  int64_t row_stride, column_stride;
};

// C (m, n) = A (m, k) B (k, n); B and C have rows of n floats without gaps, n a multiple of
// kGemmColumns.
void small_gemm(int64_t m, int64_t n, int64_t k, const GemmOperand& a, const float* b, float* c);

}  // namespace kdbench
