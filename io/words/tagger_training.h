// SPDX-License-Identifier: MIT
// Learning a tagger from tagged sentences.
#pragma once

#include <cstdint>
#include <vector>

#include "io/words/tagger.h"

namespace kdbench {

struct TaggerTraining {
  int epochs = 5;
  uint64_t seed = 1;  // of the order of the sentences
};

// Words that occur 20 times or more and have one tag in 97 % of them keep it; of the others every
// mistake adds 1 to the true tag's weights and takes 1 from those of the tag that was found. The
// weights are means over all words seen, to three digits. The same sentences and seed give the
// same model everywhere. `sentences` must not be empty. Local.
TaggerModel train_tagger(std::vector<TaggedSentence> sentences, const TaggerTraining& training);

// The share of words that get the corpus's tag. Local.
double tagging_accuracy(const TaggerModel& model, const std::vector<TaggedSentence>& sentences);

}  // namespace kdbench
