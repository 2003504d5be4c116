// SPDX-License-Identifier: MIT
#include "methods/ops/token_draw.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "methods/ops/fast_exp.h"
#include "methods/ops/simd.h"

namespace kdbench {
namespace {

constexpr int64_t kBlockIds = 256;

KDBENCH_SIMD float largest_score(int64_t n, const float* scores) {
  float top = scores[0];
#pragma omp simd reduction(max : top)
  for (int64_t j = 0; j < n; ++j) top = scores[j] > top ? scores[j] : top;
  return top;
}

// scores -> exp((scores - top) / temperature), in place; sums[b] = the sum of block b.
KDBENCH_SIMD void to_weights(int64_t n, float top, float inverse_temperature, float* scores,
                             double* sums) {
  for (int64_t begin = 0; begin < n; begin += kBlockIds) {
    const int64_t count = std::min(kBlockIds, n - begin);
    float* block = scores + begin;
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = 0; j < count; ++j) {
      const float weight = fast_exp((block[j] - top) * inverse_temperature);
      block[j] = weight;
      sum += weight;
    }
    sums[begin / kBlockIds] = sum;
  }
}

int64_t draw_of_all(int64_t n, float* scores, double temperature, double uniform) {
  std::vector<double> sums((n + kBlockIds - 1) / kBlockIds);
  to_weights(n, largest_score(n, scores), static_cast<float>(1.0 / temperature), scores,
             sums.data());
  double rest = uniform * std::accumulate(sums.begin(), sums.end(), 0.0);
  size_t block = 0;
  while (block + 1 < sums.size() && rest >= sums[block]) rest -= sums[block++];
  const int64_t begin = static_cast<int64_t>(block) * kBlockIds;
  const int64_t end = std::min(n, begin + kBlockIds);
  int64_t drawn = begin;  // rounding may leave a little behind the last id: of those with a weight
  for (int64_t id = begin; id < end; ++id) {
    if (scores[id] <= 0.0f) continue;
    drawn = id;
    if (rest < scores[id]) break;
    rest -= scores[id];
  }
  return drawn;
}

void make_one(std::vector<TokenProbability>& tokens) {
  double sum = 0.0;
  for (const auto& token : tokens) sum += token.probability;
  for (auto& token : tokens) token.probability /= sum;
}

}  // namespace

std::vector<TokenProbability> kept_tokens(int64_t n, const float* scores, const TokenRule& rule) {
  const double top = *std::max_element(scores, scores + n);
  std::vector<TokenProbability> tokens(n);
  for (int64_t id = 0; id < n; ++id)
    tokens[id] = {id, std::exp((static_cast<double>(scores[id]) - top) / rule.temperature)};
  const auto before = [](const TokenProbability& a, const TokenProbability& b) {
    return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
  };
  const int64_t count = rule.top_k > 0 ? std::min(rule.top_k, n) : n;
  std::partial_sort(tokens.begin(), tokens.begin() + count, tokens.end(), before);
  tokens.resize(count);
  make_one(tokens);
  if (rule.top_p < 1.0) {
    double sum = 0.0;
    size_t kept = 0;
    while (kept < tokens.size() && sum < rule.top_p) sum += tokens[kept++].probability;
    tokens.resize(kept);
    make_one(tokens);
  }
  return tokens;
}

int64_t draw_token(int64_t n, float* scores, const TokenRule& rule, double uniform) {
  if (!rule.filters()) return draw_of_all(n, scores, rule.temperature, uniform);
  const auto tokens = kept_tokens(n, scores, rule);
  for (const auto& token : tokens) {
    if (uniform < token.probability) return token.id;
    uniform -= token.probability;
  }
  return tokens.back().id;
}

}  // namespace kdbench
