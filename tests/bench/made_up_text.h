// SPDX-License-Identifier: MIT
// English-looking sentences and a WordPiece vocabulary for them, as long and as varied as MNLI's:
// words by Zipf's law, most of them whole in the vocabulary, rare ones in pieces; capitals,
// punctuation, numbers, contractions and now and then a letter outside ASCII.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/tasks/glue.h"
#include "io/tokenizers/byte_bpe.h"

namespace kdbench {

struct MadeUpText {
  std::vector<std::string> vocabulary;  // as many entries as bert-base-uncased has
  GlueFile pairs;                       // a premise and a hypothesis each, MNLI's labels
};

// The same on every call. Row ids count from 0.
MadeUpText make_text(int64_t pairs);
// A byte-level vocabulary for it, with a token for each of its entries, also behind a blank.
BpeVocabulary make_bpe(const MadeUpText& text);

}  // namespace kdbench
