// SPDX-License-Identifier: MIT
// The next token from a language model's scores: softmax(scores / temperature), then the top_k most
// probable ids, then the smallest set of the most probable that reaches top_p (Holtzman et al.
// 2020), each made to add up to 1.
#pragma once

#include <cstdint>
#include <vector>

namespace kdbench {

struct TokenRule {
  double temperature = 1.0;  // above 0
  int64_t top_k = 0;         // 0: all
  double top_p = 1.0;        // in (0, 1]; 1: all

  bool filters() const { return top_k > 0 || top_p < 1.0; }
};

struct TokenProbability {
  int64_t id;
  double probability;
};

// The ids that the rule leaves, the most probable first; of equals the lowest id. scores (n).
std::vector<TokenProbability> kept_tokens(int64_t n, const float* scores, const TokenRule& rule);

// The id at which the probabilities, added up, pass `uniform`, which is in [0, 1): in the order of
// ids, or of kept_tokens where the rule filters. Overwrites the scores.
int64_t draw_token(int64_t n, float* scores, const TokenRule& rule, double uniform);

}  // namespace kdbench
