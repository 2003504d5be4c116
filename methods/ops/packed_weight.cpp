// SPDX-License-Identifier: MIT
// A tile of y at a time, as in small_gemm.cpp: some rows x two vectors, in registers over all of k.
#include "methods/ops/packed_weight.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <array>

#include "methods/ops/isa.h"

namespace kdbench {
namespace {

constexpr int64_t kPanel = 32;  // columns
constexpr int kMostRows = 12;   // of a tile
constexpr int64_t kLine = 16;   // floats of a cache line
constexpr int64_t kLinesOfRow = kPanel / kLine;

template <int kFloats>
struct Lanes {
  typedef float Type __attribute__((vector_size(4 * kFloats), aligned(4), may_alias));
};

// One tile: x as (k, rows), a panel from one of its columns on, and where y's tile begins.
struct Tile {
  int64_t depth;
  const float* x;
  const float* panel;
  float* y;            // rows kPanel floats apart
  const float* ahead;  // is fetched meanwhile: kLine floats for each of k
};

template <int kFloats, int kVectors, int kRows>
__attribute__((always_inline)) inline void multiply_tile(const Tile& t) {
  using V = typename Lanes<kFloats>::Type;
  V sum[kRows][kVectors] = {};
  const float *x = t.x, *panel = t.panel;
  for (int64_t k = 0; k < t.depth; ++k, x += kRows, panel += kPanel) {
    __builtin_prefetch(t.ahead + k * kLine, 0, 2);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sum[r][v] += x[r] * reinterpret_cast<const V*>(panel)[v];
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) reinterpret_cast<V*>(t.y + r * kPanel)[v] = sum[r][v];
  }
}

// All columns of a panel.
template <int kFloats, int kVectors, int kRows>
__attribute__((always_inline)) inline void multiply_panel(const Tile& t) {
  constexpr int64_t kStep = int64_t{kFloats} * kVectors;
  for (int64_t column = 0; column < kPanel; column += kStep)
    multiply_tile<kFloats, kVectors, kRows>(
        {t.depth, t.x, t.panel + column, t.y + column, t.ahead});
}

// The tile of `rows` rows, which are at most kRows.
template <int kFloats, int kVectors, int kRows>
__attribute__((always_inline)) inline void multiply_rows(int64_t rows, const Tile& t) {
  if constexpr (kRows > 0) {
    if (rows == kRows) {
      multiply_panel<kFloats, kVectors, kRows>(t);
    } else {
      multiply_rows<kFloats, kVectors, kRows - 1>(rows, t);
    }
  }
}

using Kernel = void (*)(int64_t rows, const Tile& tile);

// A kernel, and the rows of its largest tile: accumulators must fit the registers.
struct Kernels {
  Kernel multiply;
  int64_t rows;
};

void baseline_tile(int64_t rows, const Tile& t) { multiply_rows<4, 2, 4>(rows, t); }
#ifdef KDBENCH_X86_KERNELS
KDBENCH_AVX512 void avx512_tile(int64_t rows, const Tile& t) {
  multiply_rows<16, 2, kMostRows>(rows, t);
}
KDBENCH_AVX2 void avx2_tile(int64_t rows, const Tile& t) { multiply_rows<8, 2, 6>(rows, t); }
#endif

Kernels choose_kernels() {
#ifdef KDBENCH_X86_KERNELS
  if (machine_isa() == Isa::kAvx512) return {avx512_tile, kMostRows};
  if (machine_isa() == Isa::kAvx2) return {avx2_tile, 6};
#endif
  return {baseline_tile, 4};
}

const Kernels& kernels() {
  static const Kernels chosen = choose_kernels();
  return chosen;
}

// (rows, depth) -> tiles of at most `most` rows, each (depth, its rows), one after the other.
std::vector<float> pack_rows(int64_t rows, int64_t depth, int64_t most, const float* x) {
  std::vector<float> packed(rows * depth);
  for (int64_t first = 0; first < rows; first += most) {
    const int64_t count = std::min(most, rows - first);
    float* tile = packed.data() + first * depth;
    for (int64_t k = 0; k < depth; ++k) {
      for (int64_t r = 0; r < count; ++r) tile[k * count + r] = x[(first + r) * depth + k];
    }
  }
  return packed;
}

}  // namespace

PackedWeight::PackedWeight(const at::Tensor& weight)
    : in_(weight.size(0)),
      out_(weight.size(1)),
      panels_((out_ + kPanel - 1) / kPanel * in_ * kPanel) {
  const at::Tensor values = weight.detach().to(at::kCPU, at::kFloat);
  const int64_t row = values.stride(0), column = values.stride(1);
  const float* from = values.const_data_ptr<float>();
  at::parallel_for(0, (out_ + kPanel - 1) / kPanel, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      float* to = panels_.data() + panel * in_ * kPanel;
      const int64_t first = panel * kPanel, columns = std::min(kPanel, out_ - first);
      for (int64_t k = 0; k < in_; ++k) {
        for (int64_t c = 0; c < columns; ++c)
          to[k * kPanel + c] = from[k * row + (first + c) * column];
      }
    }
  });
}

void PackedWeight::multiply(int64_t rows, const float* x, const float* bias, float* y) const {
  const Kernels& kernel = kernels();
  const std::vector<float> packed = pack_rows(rows, in_, kernel.rows, x);
  at::parallel_for(0, (out_ + kPanel - 1) / kPanel, 1, [&](int64_t begin, int64_t end) {
    std::array<float, kMostRows * kPanel> tile;
    for (int64_t panel = begin; panel < end; ++panel) {
      const int64_t column = panel * kPanel, columns = std::min(kPanel, out_ - column);
      for (int64_t first = 0; first < rows; first += kernel.rows) {
        const int64_t count = std::min(kernel.rows, rows - first);
        const float* own = panels_.data() + panel * in_ * kPanel;
        // The first tiles fetch the next panel, a part each; the others nothing new.
        const int64_t part = first / kernel.rows;
        const bool fetches = panel + 1 < end && part < kLinesOfRow;
        kernel.multiply(count, {in_, packed.data() + first * in_, own, tile.data(),
                                fetches ? own + (kPanel + part * kLine) * in_ : own});
        for (int64_t r = 0; r < count; ++r) {
          float* to = y + (first + r) * out_ + column;
          const float* from = tile.data() + r * kPanel;
          if (bias) {
            for (int64_t c = 0; c < columns; ++c) to[c] = from[c] + bias[column + c];
          } else {
            for (int64_t c = 0; c < columns; ++c) to[c] = from[c];
          }
        }
      }
    }
  });
}

}  // namespace kdbench
