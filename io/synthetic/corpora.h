// SPDX-License-Identifier: MIT
// The synthetic corpora: one grammar a task, each in a file of its own. A grammar draws a meaning,
// writes it as text and knows the label from the meaning, never from the text.
#pragma once

#include <string>
#include <vector>

#include "io/synthetic/draws.h"

namespace kdbench {

struct SyntheticRow {
  std::string text_a;
  std::string text_b;  // empty for single sentences
  std::string label;   // as the task's files have it
};

// Negation and contrast (SST-2): sentiment.cpp.
SyntheticRow draw_sentiment(Draws& draws);
// Agreement across other nouns (CoLA): agreement.cpp.
SyntheticRow draw_agreement(Draws& draws);
// Word order and synonyms (MRPC): paraphrase.cpp.
SyntheticRow draw_paraphrase(Draws& draws);
// Graded likeness of propositions (STS-B): similarity.cpp.
SyntheticRow draw_similarity(Draws& draws);
// Hypernymy, quantifiers and negation (MNLI): inference.cpp.
SyntheticRow draw_inference(Draws& draws);
// The same with one more adjective than any sentence of draw_inference has (MNLI's mismatched
// splits).
SyntheticRow draw_longer_inference(Draws& draws);

struct SyntheticCorpus {
  std::string task;
  SyntheticRow (*draw)(Draws& draws);
  SyntheticRow (*draw_mismatched)(Draws& draws);  // null but for MNLI
};

// CoLA SST-2 MRPC STS-B MNLI, in this order.
const std::vector<SyntheticCorpus>& synthetic_corpora();

}  // namespace kdbench
