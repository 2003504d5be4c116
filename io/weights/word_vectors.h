// SPDX-License-Identifier: MIT
// Vectors of words from a file: word2vec's, as text or binary, or GloVe's text. Nothing is kept but
// the vectors of the words that are asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kdbench {

// Numbers of a vector, by the first line. Throws a user error for what is no file of vectors.
int64_t word_vectors_width(const std::filesystem::path& path);

// Which of `words` have a vector in the file, and those vectors one after the other. Words are
// compared byte by byte; of a word that is there twice the first counts.
struct FoundVectors {
  int64_t width = 0;
  std::vector<int64_t> words;  // indices into `words`, in the order of the file
  std::vector<float> values;   // (words.size(), width)
};

// Reads the file once, to its end. Throws a user error that names the line (of a binary file the
// word's number) for one that is cut, damaged, or has vectors of several widths.
FoundVectors read_word_vectors(const std::filesystem::path& path,
                               const std::vector<std::string>& words);

}  // namespace kdbench
