// SPDX-License-Identifier: MIT
// A small byte-level BPE vocabulary: RoBERTa's special tokens, the 256 bytes, and what the given
// merges make.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "io/tokenizers/byte_bpe.h"
#include "io/tokenizers/byte_level.h"

namespace kdbench::testing {

using MergeTexts = std::vector<std::pair<std::string, std::string>>;

// Ids: <s> 0, <pad> 1, </s> 2, <unk> 3, the byte b 4 + b, the merges' tokens from 260 on, <mask>.
inline BpeVocabulary tiny_bpe(const MergeTexts& merges) {
  BpeVocabulary vocabulary;
  vocabulary.tokens = {"<s>", "<pad>", "</s>", "<unk>"};
  for (int byte = 0; byte < 256; ++byte)
    vocabulary.tokens.push_back(symbol_of_byte(static_cast<unsigned char>(byte)));
  int64_t line = 1;  // after the version
  for (const auto& [left, right] : merges) {
    vocabulary.tokens.push_back(left + right);
    vocabulary.merges.push_back({left, right, ++line});
  }
  vocabulary.tokens.push_back("<mask>");
  return vocabulary;
}

// vocab.json and merges.txt of a folder.
inline void write_bpe(const std::filesystem::path& folder, const BpeVocabulary& vocabulary) {
  nlohmann::json ids;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) ids[vocabulary.tokens[id]] = id;
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "vocab.json") << ids.dump();
  std::ofstream merges(folder / "merges.txt");
  merges << "#version: 0.2\n";
  for (const auto& merge : vocabulary.merges) merges << merge.left << " " << merge.right << "\n";
}

}  // namespace kdbench::testing
