// SPDX-License-Identifier: MIT
// The words of the synthetic corpora and what is known of them. Every word that a corpus writes
// stands here, so the vocabulary is known without any text.
#pragma once

#include <set>
#include <string>
#include <vector>

namespace kdbench::lexicon {

// Word lists are functions, not globals: no order of initialisation.
using Words = std::vector<std::string>;

// Sentiment: what is judged, and the words that judge.
const Words& aspects();
const Words& praising();
const Words& scolding();

// Agreement: nouns with a plural in -s, verbs with a third person in -s (given without it).
const Words& persons();
const Words& verbs_alone();        // "laugh"
const Words& verbs_with_object();  // "admire"
const Words& adverbs();            // "today"
const Words& places_between();     // "near": a noun follows
const Words& traits();  // adjectives of persons and animals that say nothing of each other

// Propositions: each entry a verb (past tense and participle alike) and its synonym.
const std::vector<Words>& deeds();
const Words& places();  // "in the park"
const Words& times();   // "at noon"

// Hypernymy: a noun or verb (third person) and the more general one above it; "" above a root.
struct Kind {
  std::string word, parent;
};
const std::vector<Kind>& beings();   // three levels; siblings exclude each other
const std::vector<Kind>& motions();  // verbs; siblings do not exclude each other

// `word` or one that stands above it: a poodle is a dog and an animal.
bool is_a(const std::vector<Kind>& kinds, const std::string& word, const std::string& above);
// Steps up and down the tree between two words; -1 under different roots.
int distance(const std::vector<Kind>& kinds, const std::string& from, const std::string& to);

// Articles, connectives, quantifiers, auxiliaries: what the grammars write between the lists.
const Words& function_words();

// Every word of the lists and every form of it that the grammars write.
std::set<std::string> all_words();

}  // namespace kdbench::lexicon
