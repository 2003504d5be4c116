// SPDX-License-Identifier: MIT
// What the tagger looks at, as text: the word with its beginning and ending, its neighbours, and
// the two tags before it. The names are those in NLTK's files.
#pragma once

#include <string>
#include <vector>

namespace kdbench {

// Words before and after those of the sentence, and tags before its first one.
inline constexpr const char* kStart = "-START-";
inline constexpr const char* kBeforeStart = "-START2-";

// The words as their neighbours see them: in small letters, numbers and hyphenated words as one
// kind each, between two marks on either side.
std::vector<std::string> perceptron_context(const std::vector<std::string>& words);

// The features of word `i`; `previous` and `before` are the two tags before it. Fills `features`,
// whose strings are reused.
void perceptron_features(size_t i, const std::string& word, const std::vector<std::string>& context,
                         const std::string& previous, const std::string& before,
                         std::vector<std::string>& features);

}  // namespace kdbench
