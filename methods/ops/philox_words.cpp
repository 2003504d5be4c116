// SPDX-License-Identifier: MIT
// The vector forms keep each 32-bit word in a 64-bit lane: that is what the widening multiply
// reads, and garbage above the word does no harm.
#include "methods/ops/philox_words.h"

#include <utility>

#include "methods/ops/isa.h"
#include "methods/ops/philox_constants.h"

#ifdef KDBENCH_X86_KERNELS
#include <immintrin.h>
#endif

namespace kdbench {
namespace {

// Blocks begin .. blocks - 1 one by one.
void scalar_words(const PhiloxStream& s, int64_t begin, int64_t blocks, uint32_t* words) {
  for (int64_t n = begin; n < blocks; ++n) {
    const PhiloxBlock block =
        philox(s.key.seed, {s.first + static_cast<uint32_t>(n), s.row, s.place, s.key.step});
    for (int64_t lane = 0; lane < 4; ++lane) words[lane * blocks + n] = block[lane];
  }
}

void baseline_words(const PhiloxStream& s, int64_t blocks, uint32_t* words) {
  scalar_words(s, 0, blocks, words);
}

#ifdef KDBENCH_X86_KERNELS
// GCC 12 takes the intrinsics' "undefined" operands for uninitialised variables.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
KDBENCH_AVX512 void avx512_words(const PhiloxStream& s, int64_t blocks, uint32_t* words) {
  const __m512i multiplier0 = _mm512_set1_epi64(kPhiloxMultiplier0);
  const __m512i multiplier1 = _mm512_set1_epi64(kPhiloxMultiplier1);
  const __m256i count = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  for (int64_t n = 0; n < blocks; n += 8) {
    const auto first = static_cast<int>(s.first + static_cast<uint32_t>(n));
    __m512i c0 = _mm512_cvtepu32_epi64(_mm256_add_epi32(count, _mm256_set1_epi32(first)));
    __m512i c1 = _mm512_set1_epi64(s.row), c2 = _mm512_set1_epi64(s.place);
    __m512i c3 = _mm512_set1_epi64(s.key.step);
    auto key0 = static_cast<uint32_t>(s.key.seed), key1 = static_cast<uint32_t>(s.key.seed >> 32);
    for (int round = 0; round < kPhiloxRounds;
         ++round, key0 += kPhiloxWeyl0, key1 += kPhiloxWeyl1) {
      const __m512i product0 = _mm512_mul_epu32(c0, multiplier0);
      const __m512i product1 = _mm512_mul_epu32(c2, multiplier1);
      constexpr int kXor3 = 0x96;
      c0 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product1, 32), c1, _mm512_set1_epi64(key0),
                                     kXor3);
      c2 = _mm512_ternarylogic_epi64(_mm512_srli_epi64(product0, 32), c3, _mm512_set1_epi64(key1),
                                     kXor3);
      c1 = product1;
      c3 = product0;
    }
    const int64_t left = blocks - n;
    const auto mask = static_cast<__mmask8>(left >= 8 ? 0xFF : (1 << left) - 1);
    _mm512_mask_cvtepi64_storeu_epi32(words + n, mask, c0);
    _mm512_mask_cvtepi64_storeu_epi32(words + blocks + n, mask, c1);
    _mm512_mask_cvtepi64_storeu_epi32(words + 2 * blocks + n, mask, c2);
    _mm512_mask_cvtepi64_storeu_epi32(words + 3 * blocks + n, mask, c3);
  }
}

// The low halves of four 64-bit lanes.
KDBENCH_AVX2 inline void store_words(uint32_t* to, __m256i lanes) {
  const __m256i packed =
      _mm256_permutevar8x32_epi32(lanes, _mm256_setr_epi32(0, 2, 4, 6, 0, 0, 0, 0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm256_castsi256_si128(packed));
}

KDBENCH_AVX2 void avx2_words(const PhiloxStream& s, int64_t blocks, uint32_t* words) {
  const __m256i multiplier0 = _mm256_set1_epi64x(kPhiloxMultiplier0);
  const __m256i multiplier1 = _mm256_set1_epi64x(kPhiloxMultiplier1);
  const __m128i count = _mm_setr_epi32(0, 1, 2, 3);
  int64_t n = 0;
  for (; n + 4 <= blocks; n += 4) {
    const auto first = static_cast<int>(s.first + static_cast<uint32_t>(n));
    __m256i c0 = _mm256_cvtepu32_epi64(_mm_add_epi32(count, _mm_set1_epi32(first)));
    __m256i c1 = _mm256_set1_epi64x(s.row), c2 = _mm256_set1_epi64x(s.place);
    __m256i c3 = _mm256_set1_epi64x(s.key.step);
    auto key0 = static_cast<uint32_t>(s.key.seed), key1 = static_cast<uint32_t>(s.key.seed >> 32);
    for (int round = 0; round < kPhiloxRounds;
         ++round, key0 += kPhiloxWeyl0, key1 += kPhiloxWeyl1) {
      const __m256i product0 = _mm256_mul_epu32(c0, multiplier0);
      const __m256i product1 = _mm256_mul_epu32(c2, multiplier1);
      c0 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), c1),
                            _mm256_set1_epi64x(key0));
      c2 = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), c3),
                            _mm256_set1_epi64x(key1));
      c1 = product1;
      c3 = product0;
    }
    store_words(words + n, c0);
    store_words(words + blocks + n, c1);
    store_words(words + 2 * blocks + n, c2);
    store_words(words + 3 * blocks + n, c3);
  }
  scalar_words(s, n, blocks, words);
}

#pragma GCC diagnostic pop

auto* choose_words() {
  if (machine_isa() == Isa::kAvx512) return avx512_words;
  if (machine_isa() == Isa::kAvx2) return avx2_words;
  return baseline_words;
}
#else
auto* choose_words() { return baseline_words; }
#endif

// The high and low words of a * b for a constant a, without leaving int64: a is split into 16-bit
// halves.
std::pair<at::Tensor, at::Tensor> multiply(int64_t a, const at::Tensor& b) {
  const at::Tensor low = b * (a & 0xFFFF);
  const at::Tensor high = b * (a >> 16);
  const at::Tensor middle = high + low.bitwise_right_shift(16);
  const at::Tensor low_word =
      middle.bitwise_and(0xFFFF).bitwise_left_shift(16) + low.bitwise_and(0xFFFF);
  return {middle.bitwise_right_shift(16), low_word};
}

}  // namespace

void philox_words(const PhiloxStream& stream, int64_t blocks, uint32_t* words) {
  static const auto kernel = choose_words();
  kernel(stream, blocks, words);
}

std::array<at::Tensor, 4> philox_reference(uint64_t seed,
                                           const std::array<at::Tensor, 4>& counter) {
  auto [c0, c1, c2, c3] = counter;
  auto key0 = static_cast<uint32_t>(seed), key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < kPhiloxRounds; ++round, key0 += kPhiloxWeyl0, key1 += kPhiloxWeyl1) {
    const auto [high0, low0] = multiply(kPhiloxMultiplier0, c0);
    const auto [high1, low1] = multiply(kPhiloxMultiplier1, c2);
    c0 = high1.bitwise_xor(c1).bitwise_xor(static_cast<int64_t>(key0));
    c2 = high0.bitwise_xor(c3).bitwise_xor(static_cast<int64_t>(key1));
    c1 = low1;
    c3 = low0;
  }
  return {c0, c1, c2, c3};
}

}  // namespace kdbench
