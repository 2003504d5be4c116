// SPDX-License-Identifier: MIT
// Corpora whose words have tags, to train a tagger from. Three formats, told apart by the first
// line that holds something:
// - CoNLL-U (Universal Dependencies): ten cells between tabs, the word in the second, its Penn tag
//   (XPOS) in the fifth; blank lines between sentences, comments begin with '#'; ranges of words
//   and empty nodes are passed over.
// - columns (CoNLL-2000): a word, its tag, and what else between white space; blank lines between
//   sentences.
// - text: a sentence a line of word_TAG or word/TAG.
#pragma once

#include <filesystem>
#include <vector>

#include "io/words/tagger.h"

namespace kdbench {

// Throws a user error that lists the lines that do not fit. Local.
std::vector<TaggedSentence> read_tagged_corpus(const std::filesystem::path& file);

}  // namespace kdbench
