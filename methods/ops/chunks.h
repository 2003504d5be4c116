// SPDX-License-Identifier: MIT
// Tokens in chunks of a fixed size, and sums over tokens as a sum of the chunks' sums: the result
// does not depend on the number of threads.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>

namespace kdbench {

inline constexpr int64_t kChunkTokens = 32;

inline int64_t chunk_count(int64_t tokens) { return (tokens + kChunkTokens - 1) / kChunkTokens; }

// Calls f(chunk, first token, end token) for every chunk, on all threads.
template <typename F>
void for_token_chunks(int64_t tokens, const F& f) {
  at::parallel_for(0, chunk_count(tokens), 1, [&](int64_t begin, int64_t end) {
    for (int64_t chunk = begin; chunk < end; ++chunk) {
      f(chunk, chunk * kChunkTokens, std::min(tokens, (chunk + 1) * kChunkTokens));
    }
  });
}

// One row of `width` zeros a chunk: what a chunk adds up. float32, CPU.
inline at::Tensor chunk_sums(int64_t tokens, int64_t width) {
  return at::zeros({chunk_count(tokens), width}, at::kFloat);
}

}  // namespace kdbench
