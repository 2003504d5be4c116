// SPDX-License-Identifier: MIT
// Attention of one head of one row, in scratch memory of the calling thread. CPU, float32.
#pragma once

#include <cstdint>
#include <vector>

#include "methods/ops/dropout.h"
#include "methods/ops/row_kernels.h"

namespace kdbench {

// Where one head of one row lies. Row i of the head's queries is qkv + i * 3 * width, keys and
// values stand `width` and 2 * width floats further; bias, dqkv and dbias alike. `context` and
// `dcontext` rows are `width` apart.
struct HeadView {
  int64_t length = 0;   // tokens, L
  int64_t size = 0;     // channels of a head, d
  int64_t width = 0;    // H
  bool causal = false;  // a query sees no later key
  const float* qkv = nullptr;
  const float* bias = nullptr;
  float* log_sums = nullptr;  // (L): log of the sum of exp(score) of each query; written in
                              // forward, read in backward

  int64_t keys(int64_t query) const { return causal ? query + 1 : length; }
};

class AttentionHead {
 public:
  // `stream` of the head's dropout words; `keep` as in row_kernels.h, threshold 0 for none.
  void forward(const HeadView& view, const PhiloxStream& stream, Keep keep, float* context);
  // Writes dqkv and adds to dbias.
  void backward(const HeadView& view, const PhiloxStream& stream, Keep keep, const float* dcontext,
                float* dqkv, float* dbias);

 private:
  void prepare(const HeadView& view, const PhiloxStream& stream, Keep keep);
  void compute_scores(const HeadView& view);

  // Row-major; d and L padded to kGemmColumns as columns.
  std::vector<float> query_;              // (L, d), bias added, divided by sqrt(d)
  std::vector<float> key_, value_;        // (L, d), bias added
  std::vector<float> transposed_;         // (d, L): keys, then values
  std::vector<float> weights_, dscores_;  // (L, L)
  std::vector<float> output_, dcontext_;  // (L, d)
  std::vector<uint32_t> words_;           // element (i, j) is word i * L + j
};

}  // namespace kdbench
