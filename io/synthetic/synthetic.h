// SPDX-License-Identifier: MIT
// The embedded data: small seeded corpora in GLUE's own file layout, so that everything after them
// is as with real data. The same seed and sizes give the same bytes on every platform.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace kdbench {

// To be raised with any change of a grammar, a word or the layout: stages are named by it.
inline constexpr int kSyntheticVersion = 1;

struct SyntheticSettings {
  uint64_t seed = 1;
  int64_t train_rows = 8000, dev_rows = 1000, test_rows = 500;  // of each split of the kind
  // Of the training rows so many percent, drawn at random, have another label, any of the others:
  // what annotators get wrong. Scores are exact.
  int64_t label_noise = 0;
};

struct SyntheticFile {
  std::string split;    // "train", "dev_matched", ...
  std::string content;  // of <split>.tsv
};

// Tasks that have a synthetic corpus.
std::vector<std::string> synthetic_tasks();

// A whole WordPiece vocabulary: special tokens, then every word of every corpus.
std::vector<std::string> synthetic_vocabulary();

// All splits of a task that has a corpus, training rows last. No row occurs twice in them; each
// split has all labels equally often (up to one row, before annotators' noise in training rows);
// evaluation splits do not depend on the number of training rows, and their labels are exact.
std::vector<SyntheticFile> make_synthetic_files(const std::string& task,
                                                const SyntheticSettings& settings);

// <root>/<TASK>/<split>.tsv for every task, and <root>/vocab.txt; `root` is there. Throws machine
// errors.
void write_synthetic(const std::filesystem::path& root, const SyntheticSettings& settings);

}  // namespace kdbench
